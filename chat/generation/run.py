"""One run: claim, call the model, relay what arrives, store the end.

Runs in a Celery worker with the gevent pool, in two greenlets: one reads from the provider, and the
run itself takes what arrived, relays it, and can be told to stop at any moment.
"""

import logging
import time
from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from functools import cache

import gevent
from django.conf import settings
from django.db import OperationalError, connections
from django.utils import timezone
from gevent.lock import BoundedSemaphore
from gevent.queue import SimpleQueue

from chat import prompts, provider, streams
from chat.errors import ProviderError
from chat.generation.ending import Outcome, finish, requeue
from chat.generation.pulse import Pulse
from chat.models import Generation
from chat.provider import Piece, Usage
from tenants.logcontext import logging_about
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)

Status = Generation.Status
_STATUS_OF_FINISH_REASON = {"length": Status.TRUNCATED, "content_filter": Status.FILTERED}
_LONGEST_WAIT_SECONDS = 120.0
_STORE_AGAIN_SECONDS = 1.0


class Signal(Enum):
    """What a run is told besides the pieces of its reply."""

    DONE = "the provider has nothing more"
    STOP = "the person asked to stop"
    LOST = "another attempt holds the generation"


def run_next() -> bool:
    """Claim one waiting generation and run it to its end; False when there was none to take.

    Also False when this process runs CHAT_WORKER_SLOTS already: whoever ends next takes it.
    """
    if not _slots().acquire(blocking=False):
        return False
    try:
        generation = Generation.objects.claim_next()
        if generation is None:
            return False
        with logging_about(tenant=str(generation.tenant_id), generation=str(generation.pk)):
            _run(generation)
        return True
    finally:
        _slots().release()


@cache
def _slots() -> BoundedSemaphore:
    return BoundedSemaphore(settings.CHAT_WORKER_SLOTS)


@cache
def _pulse() -> Pulse:
    return Pulse()


def _run(generation: Generation) -> None:
    with tenant_scope(generation.tenant_id):
        prompt = prompts.build(generation)
    connections.close_all()  # none is held while the model answers
    writer = streams.Writer(
        streams.stream_key(generation.tenant_id, generation.pk), generation.attempt
    )
    writer.start()
    run = Run(generation, writer)
    with _pulse().watching(run):
        run.listen(provider.stream_reply(generation.deployment, prompt))
        _store(generation, run, writer)


def _store(generation: Generation, run: "Run", writer: streams.Writer) -> None:
    """Store the end of a run, also when the database is away for a while."""
    while not run.is_lost:
        try:
            _end(generation, run, writer)
        except OperationalError:
            logger.warning("end not stored yet", exc_info=True)
            time.sleep(_STORE_AGAIN_SECONDS)
        except Exception:
            logger.exception("end cannot be stored as it is")
            with tenant_scope(generation.tenant_id):
                finish(generation, Outcome(Status.FAILED, error_code="internal"))
            writer.end(Status.FAILED, "internal")
            return
        else:
            return
        finally:
            connections.close_all()
    logger.warning("run lost its claim")


def _end(generation: Generation, run: "Run", writer: streams.Writer) -> None:
    wait = run.seconds_to_wait(generation)
    if wait is not None:
        with tenant_scope(generation.tenant_id):
            requeue(generation, after_seconds=wait)
        return
    outcome = run.outcome()
    with tenant_scope(generation.tenant_id):
        is_stored = finish(generation, outcome)
    if is_stored:
        connections.close_all()  # none is held while the relay is waited for
        writer.end(outcome.status, outcome.error_code)
        logger.info("generation ended", extra={"status": str(outcome.status)})


class Run:
    """What arrives of one reply, and how it ends."""

    def __init__(self, generation: Generation, writer: streams.Writer) -> None:
        self.generation_id = generation.pk
        self.attempt = generation.attempt
        self.first_token_at: datetime | None = None
        self._writer = writer
        self._inbox: SimpleQueue = SimpleQueue()
        self._heard_at = time.monotonic()
        self._chars = 0
        self._finish_reason = ""
        self._filter_category = ""
        self._usage: Usage | None = None
        self._ended_by: Signal | ProviderError | None = None

    @property
    def text(self) -> str:
        """What has arrived so far."""
        return self._writer.text

    @property
    def is_lost(self) -> bool:
        """Whether another attempt holds the generation."""
        return self._ended_by is Signal.LOST

    def stop(self) -> None:
        """The person asked to stop."""
        self._inbox.put(Signal.STOP)

    def lose(self) -> None:
        """Another attempt holds the generation now, or it is gone."""
        if self._ended_by is not None:
            self._ended_by = Signal.LOST
        self._inbox.put(Signal.LOST)

    def end_if_silent(self) -> None:
        """Give up when the provider has sent nothing for longer than it may."""
        first = settings.MODEL_FIRST_TOKEN_SECONDS
        patience = settings.MODEL_SILENCE_SECONDS if self.first_token_at else first
        if time.monotonic() - self._heard_at > patience:
            self._inbox.put(ProviderError("timeout"))

    def listen(self, pieces: Iterator[Piece]) -> None:
        """Relay the reply until it ends, fails, falls silent, or the run is told to stop."""
        reader = gevent.spawn(_read, pieces, self._inbox)
        try:
            while self._ended_by is None:
                self._take(self._arrived())
        finally:
            reader.kill(block=False)  # closes the upstream call

    def _arrived(self) -> list[Piece | Signal | ProviderError]:
        """What has arrived since the last call, waiting for it; the pulse ends a long silence."""
        items = [self._inbox.get()]
        self._heard_at = time.monotonic()
        while not self._inbox.empty():
            items.append(self._inbox.get())
        return items

    def _take(self, items: list[Piece | Signal | ProviderError]) -> None:
        pieces = [item for item in items if isinstance(item, Piece)]
        for piece in pieces:
            self._finish_reason = piece.finish_reason or self._finish_reason
            self._filter_category = piece.filter_category or self._filter_category
            self._usage = piece.usage or self._usage
        text = "".join(piece.text for piece in pieces)
        if text:
            self._relay(text)
        ends = [item for item in items if not isinstance(item, Piece)]
        self._ended_by = self._ended_by or (ends[0] if ends else None)

    def _relay(self, text: str) -> None:
        room = settings.CHAT_MAX_REPLY_CHARS - self._chars
        self._chars += len(text)
        self.first_token_at = self.first_token_at or timezone.now()
        self._writer.append(text[:room])
        if len(text) >= room:
            self._finish_reason = "length"
            self._ended_by = Signal.DONE

    def seconds_to_wait(self, generation: Generation) -> float | None:
        """How long to wait before another attempt, as the provider asks; None: no other attempt."""
        error = self._ended_by
        if not isinstance(error, ProviderError) or error.code != "rate_limited" or self.text:
            return None
        wait = error.retry_after_seconds
        if wait is None or wait > _LONGEST_WAIT_SECONDS:
            return None
        return wait if generation.attempt < settings.CHAT_MAX_ATTEMPTS else None

    def outcome(self) -> Outcome:
        """How the run ended."""
        if isinstance(self._ended_by, ProviderError):
            return self._outcome_of(self._ended_by)
        if self._ended_by is Signal.STOP:
            return self._outcome(Status.STOPPED)
        if not self._finish_reason:
            return self._outcome(self._broken_status, error_code="cut_off")
        status = _STATUS_OF_FINISH_REASON.get(self._finish_reason, Status.COMPLETED)
        return self._outcome(status, side="reply" if status is Status.FILTERED else "")

    def _outcome_of(self, error: ProviderError) -> Outcome:
        logger.warning("model call failed: %s", error.code, exc_info=error.__cause__)
        if error.code == "filtered":
            self._filter_category = error.category
            side = "reply" if self.text else error.side
            return self._outcome(Status.FILTERED, error_code=error.code, side=side)
        return self._outcome(self._broken_status, error_code=error.code)

    @property
    def _broken_status(self) -> Status:
        return Status.INTERRUPTED if self.text else Status.FAILED

    def _outcome(self, status: Status, *, error_code: str = "", side: str = "") -> Outcome:
        return Outcome(
            status,
            text=self.text,
            error_code=error_code,
            usage=self._usage,
            filter_side=side,
            filter_category=self._filter_category if side else "",
            first_token_at=self.first_token_at,
        )


def _read(pieces: Iterator[Piece], inbox: SimpleQueue) -> None:
    """Put what the provider sends into the run's inbox, and how it ended."""
    try:
        for piece in pieces:
            inbox.put(piece)
    except ProviderError as error:
        inbox.put(error)
    except Exception as error:  # noqa: BLE001  # any failure must give the run an honest end
        failure = ProviderError("internal")
        failure.__cause__ = error
        inbox.put(failure)
    else:
        inbox.put(Signal.DONE)
