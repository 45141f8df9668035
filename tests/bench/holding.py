"""Streams that are opened and kept open, while other things are measured."""

import asyncio
from typing import Any

from tests.bench.channel import Answer, Channel, encode
from tests.bench.person import Session

AT_ONCE = 20
OPENING_SECONDS = 30.0


class Held:
    """Open streams, until they are released."""

    def __init__(self) -> None:
        self._asked: list[asyncio.Task[Answer]] = []
        self._channels: list[Channel] = []

    async def open(self, sessions: dict[str, Session], streams: list[dict[str, str]]) -> None:
        """Open them, twenty at a time; each has sent something then."""
        for start in range(0, len(streams), AT_ONCE):
            some = streams[start : start + AT_ONCE]
            await asyncio.gather(*(self._open(sessions[s["email"]], s["path"]) for s in some))

    async def _open(self, session: Session, path: str) -> None:
        channel = await Channel.open(session.port)
        has_begun = asyncio.Event()
        request = encode("GET", path, session.headers() | {"Accept": "text/event-stream"})
        asked = asyncio.create_task(channel.ask(request, lambda _: has_begun.set()))
        asked.add_done_callback(lambda _: has_begun.set())  # it was refused
        self._channels.append(channel)
        self._asked.append(asked)
        async with asyncio.timeout(OPENING_SECONDS):
            await has_begun.wait()

    def release(self) -> list[dict[str, Any]]:
        """Close them; an item for each that was not open any more."""
        broken = [{"problem": "ended"} for asked in self._asked if asked.done()]
        for channel in self._channels:
            channel.close()
        for asked in self._asked:
            asked.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._channels, self._asked = [], []
        return broken
