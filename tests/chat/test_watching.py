"""What a stream is told while its answer waits."""

import asyncio

from chat import events
from chat.models import Generation
from chat.services.waiting import Waiting
from chat.services.watching import Watcher


def told(*found: Waiting | None) -> list[events.Event | None]:
    """The news after each of these looks."""

    async def look() -> list[events.Event | None]:
        watcher = Watcher(Generation(status="queued"), "key")
        news = []
        for waiting in found:
            watcher.find(waiting)
            news.append(watcher.take_news())
        return news

    return asyncio.run(look())


def test_time_that_goes_by_is_no_news() -> None:
    first, *later = told(Waiting("provider", 0, 12), Waiting("provider", 0, 12))

    assert first == events.waiting("provider", ahead=0, seconds=12)
    assert later == [None]


def test_another_reason_place_or_time_is_told() -> None:
    waits = [
        Waiting("queue", 2, 0),
        Waiting("queue", 1, 0),
        Waiting("pause", 0, 4),
        Waiting("pause", 0, 30),
    ]

    assert told(*waits) == [
        events.waiting(w.reason, ahead=w.ahead, seconds=w.seconds) for w in waits
    ]


def test_what_waits_again_is_told_again() -> None:
    wait = Waiting("queue", 0, 0)
    event = events.waiting("queue", ahead=0, seconds=0)

    assert told(wait, None, wait) == [event, None, event]
