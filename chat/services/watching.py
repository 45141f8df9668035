"""Who waits for an answer to begin, and what they are told: one look of a process for all."""

import asyncio
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext

from django.db import DatabaseError, connections

from chat import events, streams
from chat.models import Generation
from chat.services.rounds import Rounds
from chat.services.waiting import Waiting, look

_LOOK_SECONDS = 1.0
_NEWS_SECONDS = 2.0


# What somebody was told, and when by this process's clock.
_Told = tuple[Waiting | None, float]


class Watcher:
    """Somebody with an open stream of an answer, which may have shown nothing yet.

    `news` is the event to be told, and None when nothing is known to tell.
    """

    def __init__(self, generation: Generation, stream_key: str) -> None:
        self.generation_id = generation.pk
        self.stream_key = stream_key
        self.is_waiting = generation.status == Generation.Status.QUEUED
        self.is_shown = bool(generation.partial_text) and not generation.continues_id
        # The first snapshot of a continuation is the text that it goes on from.
        self._text = {events.DELTA} if generation.continues_id else {events.DELTA, events.SNAPSHOT}
        self.news: events.Event | None = None
        self._told: _Told = (None, 0.0)

    def hear(self, heard: Iterable[events.Event]) -> None:
        """Once text of its own has come, it waits no more, whatever happens."""
        if not self.is_shown and any(event.name in self._text for event in heard):
            self.is_shown = True
            _rounds.leave(self)

    def take_news(self) -> events.Event | None:
        """What has not been told yet."""
        news, self.news = self.news, None
        return news

    def find(self, waiting: Waiting | None) -> None:
        """Wake the stream when something else is true than what was told last.

        (That time goes by is no news: the page counts down by itself.)
        """
        now = time.monotonic()
        if self.is_waiting == (waiting is not None) and _is_known(waiting, self._told, now):
            return
        self.is_waiting, self._told = waiting is not None, (waiting, now)
        self.news = _event(waiting) if waiting else None
        streams.wake_followers(self.stream_key)


@contextmanager
def watched(generation: Generation, stream_key: str) -> Iterator[Watcher]:
    """Until text is shown or the block ends, find out every second what the generation waits for.

    A run that is put back into the queue waits again. The stream's followers are woken for news,
    and also when it waits no longer: then there is none, and they look for themselves.
    """
    watcher = Watcher(generation, stream_key)
    with nullcontext() if watcher.is_shown else _rounds.joined(watcher):
        yield watcher


def _is_known(waiting: Waiting | None, told: _Told, now: float) -> bool:
    """Whether who was told that knows this by now, to two seconds."""
    before, at = told
    if waiting is None or before is None:
        return waiting is before
    left = max(before.seconds - (now - at), 0.0)
    return waiting[:2] == before[:2] and abs(left - waiting.seconds) < _NEWS_SECONDS


def _event(waiting: Waiting) -> events.Event:
    return events.waiting(waiting.reason, ahead=waiting.ahead, seconds=waiting.seconds)


async def _look(watchers: list[Watcher]) -> None:
    try:
        found = await asyncio.to_thread(_find, {watcher.generation_id for watcher in watchers})
    except DatabaseError:
        return  # they were told what was true last; the streams say for themselves what is wrong
    for watcher in watchers:
        watcher.find(found.get(watcher.generation_id))


def _find(generation_ids: set[uuid.UUID]) -> dict[uuid.UUID, Waiting]:
    try:
        return look(generation_ids)
    finally:
        connections.close_all()


_rounds = Rounds(_look, lambda: _LOOK_SECONDS)
