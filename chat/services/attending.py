"""Who has a stream open, and whether they still may: one look of a process for all of them."""

import asyncio
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connections
from django.utils import timezone

from chat import streams
from tenants.models import Membership
from tenants.scope import platform_scope

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Reader:
    """A person with an open stream: as whom, signed in how, and what they follow."""

    membership_id: uuid.UUID
    session_key: str
    auth_hash: str  # of the password that the session was opened with
    stream_key: str
    is_refused: bool = False


@contextmanager
def attended(reader: Reader) -> Iterator[None]:
    """Until the block ends, find out within seconds when this reader may read no longer.

    Their membership was deactivated or removed, their tenant suspended, they signed out, or there
    is a new password: then `is_refused` is set, and the stream's followers are woken.
    """
    door = _door()
    door.readers.add(reader)
    door.open()
    try:
        yield
    finally:
        door.readers.discard(reader)


class _Door:
    """Everybody that follows a stream in one event loop."""

    def __init__(self) -> None:
        self.readers: set[Reader] = set()
        self._looking: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Look from time to time, as long as there are readers."""
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while self.readers:
            await asyncio.sleep(settings.CHAT_ACCESS_LOOK_SECONDS)
            for reader in await asyncio.to_thread(_refused, list(self.readers)):
                reader.is_refused = True
                streams.wake_followers(reader.stream_key)


def _refused(readers: list[Reader]) -> list[Reader]:
    """Those who may read no longer; none while the database does not answer."""
    try:
        with platform_scope("streams of all tenants that are open here"):
            usable = Membership.objects.usable().filter(pk__in={r.membership_id for r in readers})
            hashes = {m.pk: m.user.get_session_auth_hash() for m in usable.select_related("user")}
            sessions = Session.objects.filter(
                pk__in={reader.session_key for reader in readers}, expire_date__gt=timezone.now()
            )
            signed_in = set(sessions.values_list("pk", flat=True))
    except DatabaseError:
        logger.warning("readers not looked at", exc_info=True)
        return []
    finally:
        connections.close_all()
    return [
        reader
        for reader in readers
        if hashes.get(reader.membership_id) != reader.auth_hash
        or reader.session_key not in signed_in
    ]


_doors: WeakKeyDictionary[asyncio.AbstractEventLoop, _Door] = WeakKeyDictionary()


def _door() -> _Door:
    loop = asyncio.get_running_loop()
    if loop not in _doors:
        _doors[loop] = _Door()
    return _doors[loop]
