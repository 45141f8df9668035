"""The diagnostic stream of the portal, `GET /streamz`, and the tokens that open it.

It needs no account and costs no model call. A token is signed with SECRET_KEY, names how the
stream is to be, and is good for five minutes.
"""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from typing import Any, NamedTuple, Self

from django.core.signing import BadSignature, TimestampSigner

from chat import sse
from chat.events import Event

PATH = "/streamz"
TOKEN_SECONDS = 300
MAX_SECONDS = 900.0
# Streams that one process keeps open at the same time.
MAX_OPEN = 4
TICK_SECONDS = 0.25
# For so long events come one after the other; then heartbeats alone, as while a model thinks.
TICKING_SECONDS = 5.0
TICK, END = "tick", "end"

_SALT = "portal.streamcheck"


class Plan(NamedTuple):
    """How long the stream lives, and how often it sends a heartbeat."""

    seconds: float
    heartbeat_seconds: float

    @property
    def ticks(self) -> int:
        """How many events come one after the other."""
        return int(min(self.seconds, TICKING_SECONDS) / TICK_SECONDS)

    def signed(self) -> str:
        """The token that opens this stream."""
        return TimestampSigner(salt=_SALT).sign_object(list(self))

    @classmethod
    def read(cls, authorization: str) -> Self | None:
        """The plan in the Authorization header; None without a fresh token of ours."""
        scheme, _, token = authorization.partition(" ")
        if scheme != "Bearer":
            return None
        try:
            found: Any = TimestampSigner(salt=_SALT).unsign_object(token, max_age=TOKEN_SECONDS)
            plan = cls(*map(float, found))
        except (BadSignature, TypeError, ValueError):
            return None
        is_sane = all(math.isfinite(seconds) and seconds > 0 for seconds in plan)
        return plan if is_sane and plan.seconds <= MAX_SECONDS else None


class Places:
    """Room for so many streams in this process."""

    def __init__(self) -> None:
        self._taken = 0

    @property
    def is_full(self) -> bool:
        """Whether one more would be too many."""
        return self._taken >= MAX_OPEN

    async def stream(self, plan: Plan) -> AsyncIterator[bytes]:
        """The frames of the stream, each when it is due; none when all places are taken."""
        if self.is_full:
            return
        self._taken += 1
        try:
            async for frame in _frames(plan):
                yield frame
        finally:
            self._taken -= 1


places = Places()


async def _frames(plan: Plan) -> AsyncIterator[bytes]:
    begun = time.monotonic()
    yield sse.RETRY
    for number in range(plan.ticks):
        await _until(begun + number * TICK_SECONDS)
        yield _frame(TICK, number, begun)
    last = begun + plan.ticks * TICK_SECONDS
    while (last := last + plan.heartbeat_seconds) < begun + plan.seconds:
        await _until(last)
        yield sse.HEARTBEAT
    await _until(begun + plan.seconds)
    yield _frame(END, plan.ticks, begun)


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


def _frame(name: str, number: int, begun: float) -> bytes:
    """One event with its number, and when it was sent: seconds since the stream began."""
    data = {"number": number, "sent": round(time.monotonic() - begun, 4)}
    return sse.frame(Event(name, json.dumps(data).encode()))
