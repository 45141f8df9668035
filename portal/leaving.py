"""A web process that is told to stop: its event streams end at once, and browsers connect again.

uvicorn closes the port when it is told, and waits for the responses that are being sent. The stream
of an answer would go on for minutes. So each ends here, after a whole event and by the rules of
HTTP; a browser then connects again by itself, to whoever serves now, from its last event on.

(The lifespan's own shutdown would be too late: it comes after the responses have ended.)
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Leaving:
    """Whether this process has been told to stop, and which streams wait for their next event."""

    def __init__(self) -> None:
        self.has_begun = False
        self._waiting: set[asyncio.Task[Any] | None] = set()

    def listen(self) -> None:
        """Begin when a signal tells this process to stop; what it did then, it still does."""
        if threading.current_thread() is not threading.main_thread():
            return  # signals come to the main thread alone
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            signal.signal(number, self._before(signal.getsignal(number), loop))

    def begin(self) -> None:
        """End all streams, each after the events that it has sent."""
        self.has_begun = True
        for task in self._waiting:
            if task is not None:
                task.cancel()

    async def until_begun(self, frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """These frames until the process leaves; the first in any case: it says when to retry."""
        while (frame := await self._next(frames)) is not None:
            yield frame
            if self.has_begun:
                return

    async def _next(self, frames: AsyncIterator[bytes]) -> bytes | None:
        task = asyncio.current_task()
        self._waiting.add(task)
        try:
            return await anext(frames, None)
        except asyncio.CancelledError:
            if task is None or not self.has_begun:
                raise  # the browser has gone
            task.uncancel()
            return None
        finally:
            self._waiting.discard(task)

    def _before(self, handler: Any, loop: asyncio.AbstractEventLoop) -> Callable[..., None]:
        def handle(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.begin)
            if callable(handler):
                handler(number, frame)

        return handle
