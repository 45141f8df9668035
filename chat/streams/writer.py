"""Writing the streams of generations, in the worker."""

import logging
import threading
import time
from functools import cache
from typing import Any, NamedTuple, cast

import redis
from django.conf import settings

from chat import events
from chat.events import Event
from chat.streams.connection import client

logger = logging.getLogger(__name__)

_MAX_ENTRIES = 10_000
# A whole snapshot is written this often, so that what is left of a trimmed stream can be read.
_SNAPSHOT_EVERY = 2_000
_AFTER_ERROR_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 3.0
# With many streams the flusher pauses between writes, so that more arrives with each.
_PAUSE_PER_STREAM_SECONDS = 0.0002
_MAX_PAUSE_SECONDS = 0.035


class Entry(NamedTuple):
    """An event to be written; only one that `begins` may create the stream."""

    event: Event
    begins: bool


class Writer:
    """Writes one attempt's events, through the process's flusher. Never raises.

    What the relay loses, PostgreSQL has. After any loss (an error, or a stream that vanished with
    a restarted Redis) the next entry is a snapshot of the whole text, so that followers are made
    right again. The first text of an attempt is a snapshot too: it replaces what a dead attempt may
    have shown.
    """

    def __init__(self, key: str, attempt: int) -> None:
        self.key = key
        self.attempt = attempt
        self._lock = threading.Lock()
        self._parts: list[str] = []
        self._sent = 0
        self._flushes = 0
        self._needs_snapshot = True
        self._losses = _flusher().losses
        self._start: Event | None = None
        self._end: Event | None = None
        self._is_done = threading.Event()
        self._is_given_up = False

    @property
    def text(self) -> str:
        """All text appended so far."""
        return "".join(self._parts)

    def start(self) -> None:
        """Tell followers that the model is being called."""
        self._start = events.started()
        _flusher().wake(self)

    def append(self, text: str) -> None:
        """Relay text that follows what came before."""
        with self._lock:
            self._parts.append(text)
        _flusher().wake(self)

    def end(self, status: str, error_code: str) -> None:
        """Tell followers that the generation has ended; waits three seconds at most for it."""
        self._end = events.end(status, error_code)
        _flusher().wake(self)
        self._is_given_up = not self._is_done.wait(_LONGEST_WAIT_SECONDS)

    def take(self) -> list[Entry]:
        """The entries to be written now. For the flusher, which then calls `written` or `lost`."""
        if self._is_given_up:
            return []
        entries = [Entry(self._start, begins=True)] if self._start else []
        self._start = None
        with self._lock:
            new, self._sent = self._parts[self._sent :], len(self._parts)
        if new:
            entries.append(self._text_entry("".join(new)))
        if self._end:
            entries.append(Entry(self._end, begins=True))
        return entries

    def _text_entry(self, text: str) -> Entry:
        self._flushes += 1
        losses, self._losses = self._losses, _flusher().losses
        is_due = self._flushes % _SNAPSHOT_EVERY == 0 or losses != self._losses
        if self._needs_snapshot or is_due:
            self._needs_snapshot = False
            return Entry(events.snapshot(self.text), begins=True)
        return Entry(events.delta(text), begins=False)

    def written(self) -> None:
        """What was taken has been written."""
        if self._end:
            self._is_done.set()

    def lost(self) -> None:
        """What was taken has not been written, or not after all that came before."""
        with self._lock:
            self._needs_snapshot = True
            self._sent = min(self._sent, max(len(self._parts) - 1, 0))
        _flusher().wake(self)


class _Flusher:
    """One writer to Redis per process, for all its generations.

    What arrived while it wrote goes into the next pipeline together: a fifth of the cost of a
    command each (docs/decisions/0004-worker-pool.md). A pipeline is one transaction, so that a
    follower of many streams is woken once for all that it brings.
    """

    def __init__(self) -> None:
        self.losses = 0  # a Redis that failed may have forgotten what it had of any stream
        self._waiting: dict[Writer, None] = {}
        self._wake = threading.Event()
        threading.Thread(target=self._run, name="stream-flusher", daemon=True).start()

    def wake(self, writer: Writer) -> None:
        """There is something of this writer to be written."""
        self._waiting[writer] = None
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            waiting, self._waiting = self._waiting, {}
            time.sleep(self._pause_after(list(waiting)))

    def _pause_after(self, writers: list[Writer]) -> float:
        """Flush; how long to wait for more, which is longer while Redis does not take it."""
        try:
            if self._flush(writers):
                return min(_PAUSE_PER_STREAM_SECONDS * len(writers), _MAX_PAUSE_SECONDS)
        except Exception:
            # Whatever one stream did, the others of this process go on.
            logger.exception("streams not written")
        return _AFTER_ERROR_SECONDS

    def _flush(self, writers: list[Writer]) -> bool:
        taken = [(writer, entry) for writer in writers for entry in writer.take()]
        try:
            with client().pipeline(transaction=True) as pipe:
                for writer, entry in taken:
                    _add(pipe, writer, entry)
                for key in {writer.key for writer, entry in taken if entry.begins}:
                    pipe.expire(key, settings.CHAT_STREAM_TTL_SECONDS)
                results = pipe.execute(raise_on_error=False)[: len(taken)]
        except redis.RedisError as error:
            logger.warning("streams not written: %s", type(error).__name__)
            self.losses += 1
            results = [None] * len(taken)
        losers = {
            writer
            for (writer, _), result in zip(taken, results, strict=True)
            if not isinstance(result, bytes)
        }
        for writer in writers:
            writer.lost() if writer in losers else writer.written()
        return not taken or len(losers) < len({writer for writer, _ in taken})


def _add(pipe: Any, writer: Writer, entry: Entry) -> None:
    fields = {b"e": entry.event.name, b"d": entry.event.data, b"a": writer.attempt}
    if entry.begins:
        pipe.xadd(writer.key, fields, maxlen=_MAX_ENTRIES)
    else:
        pipe.xadd(writer.key, fields, nomkstream=True)


@cache
def _flusher() -> _Flusher:
    return _Flusher()


def read_text(key: str, attempt: int) -> str:
    """The text that followers have been shown of this attempt; "" when the relay has none."""
    text = ""
    try:
        entries = cast(list[Any], client().xrange(key))
    except redis.RedisError:
        return ""
    for _, fields in entries:
        if int(fields[b"a"]) == attempt:
            text = events.apply(text, Event(fields[b"e"].decode(), fields[b"d"]))
    return text
