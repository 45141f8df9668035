"""The worker process's heartbeat: keeps its runs alive and their text safe, and brings news."""

import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Protocol

import gevent
from django.conf import settings
from django.db import connection

from chat.models import Generation
from tenants.scope import platform_scope

logger = logging.getLogger(__name__)

# Text and heartbeat are written at every sixth look, so three seconds apart by default.
_LOOKS_PER_HEARTBEAT = 6


class Held(Protocol):
    """A run as the pulse sees it."""

    generation_id: uuid.UUID
    attempt: int
    first_token_at: datetime | None

    @property
    def text(self) -> str:
        """What has arrived so far."""

    def end_if_silent(self) -> None:
        """The time for a look at the provider's silence."""

    def stop(self) -> None:
        """The person asked to stop."""

    def leave(self) -> None:
        """This process ends: end now with what has arrived. May be told again and again."""

    def lose(self) -> None:
        """Another attempt holds the generation now, or it is gone."""


class Pulse:
    """One per process, for all its runs: a query each, not one per run.

    Looks every CHAT_PULSE_SECONDS for stops, lost claims and providers that fell silent.
    """

    def __init__(self) -> None:
        self._runs: dict[uuid.UUID, Held] = {}
        self._beating: gevent.Greenlet | None = None

    @contextmanager
    def watching(self, run: Held) -> Iterator[None]:
        """Keep this run alive in the database until the block ends."""
        self._runs[run.generation_id] = run
        if self._beating is None or self._beating.dead:
            self._beating = gevent.spawn(self._beat)
        try:
            yield
        finally:
            if self._runs.get(run.generation_id) is run:
                del self._runs[run.generation_id]

    @property
    def count(self) -> int:
        """How many runs this process holds."""
        return len(self._runs)

    def leave(self) -> None:
        """Tell all runs that this process ends."""
        for run in list(self._runs.values()):
            run.leave()

    def _beat(self) -> None:
        looks = 0
        while self._runs:
            time.sleep(settings.CHAT_PULSE_SECONDS)
            looks += 1
            for run in list(self._runs.values()):
                run.end_if_silent()
            try:
                self._look(with_heartbeat=looks % _LOOKS_PER_HEARTBEAT == 0)
            except Exception:
                # A database that is away comes back, or the runs are settled by others.
                logger.exception("pulse missed")
            finally:
                connection.close()

    def _look(self, *, with_heartbeat: bool) -> None:
        """Tell the runs what has happened to them."""
        runs = list(self._runs.values())
        mine = Generation.objects.running().filter(pk__in=[run.generation_id for run in runs])
        with platform_scope("pulse of the runs of all tenants"):
            if with_heartbeat and runs:
                _write_heartbeats(runs)
            attempts = dict(mine.values_list("pk", "attempt"))
            stopping = set(mine.to_be_stopped().values_list("pk", flat=True))
        for run in runs:
            if attempts.get(run.generation_id) != run.attempt:
                run.lose()
            elif run.generation_id in stopping:
                run.stop()


@cache
def pulse() -> Pulse:
    """The pulse of this process."""
    return Pulse()


def _write_heartbeats(runs: list[Held]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE chat_generation AS g SET
                heartbeat_at = now(),
                first_token_at = COALESCE(g.first_token_at, mine.first_token_at),
                partial_text = mine.text
            FROM unnest(%s::uuid[], %s::int[], %s::timestamptz[], %s::text[])
                AS mine(id, attempt, first_token_at, text)
            WHERE g.id = mine.id AND g.attempt = mine.attempt AND g.status = 'running'
            """,
            [
                [run.generation_id for run in runs],
                [run.attempt for run in runs],
                [run.first_token_at for run in runs],
                [run.text for run in runs],
            ],
        )
