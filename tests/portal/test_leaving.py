"""How the event streams of a web process end when it is told to stop."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from portal.leaving import Leaving


async def frames(*then: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"first"
    for event in then:
        await event.wait()
    yield b"last"


async def read(leaving: Leaving, coming: AsyncIterator[bytes], shown: list[bytes]) -> None:
    async for frame in leaving.until_begun(coming):
        shown.append(frame)  # noqa: PERF401  # one by one: the tests look at it meanwhile


def test_a_stream_ends_by_itself_where_nobody_leaves() -> None:
    shown: list[bytes] = []

    asyncio.run(read(Leaving(), frames(), shown))

    assert shown == [b"first", b"last"]


def test_a_stream_that_waits_ends_at_once_and_well() -> None:
    shown: list[bytes] = []

    async def leave() -> None:
        leaving = Leaving()
        reading = asyncio.create_task(read(leaving, frames(asyncio.Event()), shown))
        while not shown:
            await asyncio.sleep(0)
        leaving.begin()
        await reading
        assert reading.cancelling() == 0

    asyncio.run(leave())

    assert shown == [b"first"]


def test_a_stream_that_begins_too_late_still_says_when_to_try_again() -> None:
    shown: list[bytes] = []
    leaving = Leaving()
    leaving.begin()

    asyncio.run(read(leaving, frames(asyncio.Event()), shown))

    assert shown == [b"first"]


def test_a_browser_that_goes_away_cancels_its_stream() -> None:
    shown: list[bytes] = []

    async def go_away() -> None:
        reading = asyncio.create_task(read(Leaving(), frames(asyncio.Event()), shown))
        while not shown:
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(go_away())
