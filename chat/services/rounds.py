"""Looks that a process takes for all its open streams together, instead of one for each."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

logger = logging.getLogger(__name__)

Who = TypeVar("Who")


class Rounds(Generic[Who]):
    """Looks at everybody who has joined, again and again; not at all when nobody has.

    `look` gets those who are there, in the event loop that they joined in, `seconds()` after the
    first one joined and after each look. A look that fails is logged; the next one follows.
    """

    def __init__(
        self, look: Callable[[list[Who]], Awaitable[None]], seconds: Callable[[], float]
    ) -> None:
        self._look, self._seconds = look, seconds
        self._present: WeakKeyDictionary[asyncio.AbstractEventLoop, set[Who]] = WeakKeyDictionary()
        self._tasks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[None]] = (
            WeakKeyDictionary()
        )

    @contextmanager
    def joined(self, who: Who) -> Iterator[None]:
        """Have them looked at until the block ends, or they leave."""
        loop = asyncio.get_running_loop()
        self._present.setdefault(loop, set()).add(who)
        if loop not in self._tasks or self._tasks[loop].done():
            self._tasks[loop] = loop.create_task(self._go_round(self._present[loop]))
        try:
            yield
        finally:
            self.leave(who)

    def leave(self, who: Who) -> None:
        """Look at them no longer."""
        self._present[asyncio.get_running_loop()].discard(who)

    async def _go_round(self, present: set[Who]) -> None:
        while present:
            await asyncio.sleep(self._seconds())
            if not present:
                return
            try:
                await self._look(list(present))
            except Exception:
                logger.exception("a look at open streams failed")
