"""What arrives of one reply: relayed as it comes, until it ends or its run is told to end.

In two greenlets: one reads from the provider, and the run itself takes what arrived and relays it.
"""

import logging
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import Enum

import gevent
from django.conf import settings
from django.utils import timezone
from gevent.queue import SimpleQueue

from chat import streams
from chat.errors import ProviderError
from chat.generation.ending import Outcome
from chat.models import Generation
from chat.provider import Piece, Usage

logger = logging.getLogger(__name__)

Status = Generation.Status
_STATUS_OF_FINISH_REASON = {"length": Status.TRUNCATED, "content_filter": Status.FILTERED}


class Signal(Enum):
    """What a run is told besides the pieces of its reply."""

    DONE = "the provider has nothing more"
    STOP = "the person asked to stop"
    LEAVE = "this worker ends"
    LOST = "another attempt holds the generation"


class Run:
    """One attempt at a reply, and how it ends.

    `beginning` is the text that it continues. `on_answer` is called at the first text, in a
    greenlet of its own: however long it takes, the text goes on.
    """

    def __init__(
        self,
        generation: Generation,
        writer: streams.Writer,
        *,
        beginning: str = "",
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self.generation_id = generation.pk
        self.attempt = generation.attempt
        self.first_token_at: datetime | None = None
        self.ended_by: Signal | ProviderError | None = None
        self._writer = writer
        self._on_answer = on_answer
        self._inbox: SimpleQueue = SimpleQueue()
        self._heard_at = time.monotonic()
        self._room = settings.CHAT_MAX_REPLY_CHARS - len(beginning)
        self._finish_reason = ""
        self._filter_category = ""
        self._usage: Usage | None = None
        if beginning:
            writer.append(beginning)

    @property
    def text(self) -> str:
        """The whole text so far, with what it continues."""
        return self._writer.text

    @property
    def has_shown(self) -> bool:
        """Whether anything of this attempt has arrived, beyond what it continues."""
        return self.first_token_at is not None

    @property
    def is_lost(self) -> bool:
        """Whether another attempt holds the generation."""
        return self.ended_by is Signal.LOST

    def stop(self) -> None:
        """The person asked to stop."""
        self._inbox.put(Signal.STOP)

    def leave(self) -> None:
        """This process ends: end now with what has arrived. May be told again and again."""
        self._inbox.put(Signal.LEAVE)

    def lose(self) -> None:
        """Another attempt holds the generation now, or it is gone."""
        if self.ended_by is not None:
            self.ended_by = Signal.LOST
        self._inbox.put(Signal.LOST)

    def end_if_silent(self) -> None:
        """Give up when the provider has sent nothing for longer than it may."""
        first = settings.MODEL_FIRST_TOKEN_SECONDS
        patience = settings.MODEL_SILENCE_SECONDS if self.has_shown else first
        if time.monotonic() - self._heard_at > patience:
            self._inbox.put(ProviderError("timeout"))

    def listen(self, pieces: Iterator[Piece]) -> None:
        """Relay the reply until it ends, fails, falls silent, or the run is told to end."""
        reader = gevent.spawn(_read, pieces, self._inbox)
        try:
            while self.ended_by is None:
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
        self.ended_by = self.ended_by or (ends[0] if ends else None)

    def _relay(self, text: str) -> None:
        self._writer.append(text[: self._room])
        if len(text) >= self._room:
            self._finish_reason = "length"
            self.ended_by = Signal.DONE
        self._room -= len(text)
        if self.first_token_at is None:
            self.first_token_at = timezone.now()
            gevent.spawn(self._on_answer)

    def outcome(self, *, try_again_at: datetime | None = None) -> Outcome:
        """How the run ended; after a failure of the provider, when it may be tried again."""
        if isinstance(self.ended_by, ProviderError):
            return self._outcome_of(self.ended_by, try_again_at)
        if self.ended_by is Signal.STOP:
            return self._outcome(Status.STOPPED)
        if self.ended_by is Signal.LEAVE:
            return self._outcome(self._broken_status, error_code="worker_stopped")
        if not self._finish_reason:
            return self._outcome(self._broken_status, error_code="cut_off")
        status = _STATUS_OF_FINISH_REASON.get(self._finish_reason, Status.COMPLETED)
        return self._outcome(status, side="reply" if status is Status.FILTERED else "")

    def failure(self) -> Outcome:
        """The end of a run whose text cannot be stored; what it used is billed all the same."""
        return Outcome(Status.FAILED, error_code="internal", usage=self._usage)

    def _outcome_of(self, error: ProviderError, try_again_at: datetime | None) -> Outcome:
        logger.warning("model call failed: %s", error.code, exc_info=error.__cause__)
        if error.code == "filtered":
            self._filter_category = error.category
            side = "reply" if self.has_shown else error.side
            return self._outcome(Status.FILTERED, error_code=error.code, side=side)
        return self._outcome(self._broken_status, error_code=error.code, try_again_at=try_again_at)

    @property
    def _broken_status(self) -> Status:
        return Status.INTERRUPTED if self.has_shown else Status.FAILED

    def _outcome(
        self,
        status: Status,
        *,
        error_code: str = "",
        side: str = "",
        try_again_at: datetime | None = None,
    ) -> Outcome:
        return Outcome(
            status,
            text=self.text,
            error_code=error_code,
            usage=self._usage,
            filter_side=side,
            filter_category=self._filter_category if side else "",
            first_token_at=self.first_token_at,
            try_again_at=try_again_at,
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
