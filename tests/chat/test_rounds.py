"""Looks for all open streams of a process together."""

import asyncio

import pytest

from chat.services.rounds import Rounds


class Looks:
    """Notes who was looked at."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.fails = False
        self.came = asyncio.Event()

    async def __call__(self, who: list[str]) -> None:
        self.seen.append(sorted(who))
        self.came.set()
        if self.fails:
            raise OSError

    async def next(self) -> None:
        """Return after the next look."""
        self.came.clear()
        await asyncio.wait_for(self.came.wait(), 5)


def test_all_who_joined_are_looked_at_together_until_they_leave() -> None:
    async def follow() -> Looks:
        looks = Looks()
        rounds = Rounds(looks, lambda: 0.01)
        with rounds.joined("one"):
            with rounds.joined("two"):
                await looks.next()
            await looks.next()
        return looks

    assert asyncio.run(follow()).seen == [["one", "two"], ["one"]]


def test_nobody_is_looked_at_when_nobody_is_there() -> None:
    async def follow() -> Looks:
        looks = Looks()
        rounds = Rounds(looks, lambda: 0.01)
        with rounds.joined("one"):
            await looks.next()
        seen = len(looks.seen)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(looks.next(), 0.1)
        assert len(looks.seen) == seen
        with rounds.joined("again"):
            await looks.next()
        return looks

    assert asyncio.run(follow()).seen[-1] == ["again"]


def test_a_look_that_fails_is_followed_by_the_next() -> None:
    async def follow() -> Looks:
        looks = Looks()
        looks.fails = True
        with Rounds(looks, lambda: 0.01).joined("one"):
            await looks.next()
            await looks.next()
        return looks

    assert len(asyncio.run(follow()).seen) == 2
