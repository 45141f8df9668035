"""Following streams, in the web process."""

import asyncio
import logging
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import redis
import redis.asyncio
from django.conf import settings
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from chat import events
from chat.events import Event
from chat.streams.credentials import asyncio_options

logger = logging.getLogger(__name__)

START = "0-0"
_ID = re.compile(r"[0-9]{1,15}-[0-9]{1,15}")
_BLOCK_MS = 10_000
_READ_COUNT = 500
_AFTER_ERROR_SECONDS = 1.0
# With many streams the reader pauses between reads, so that more workers' writes come with each.
_PAUSE_PER_STREAM_SECONDS = 0.00005
_MAX_PAUSE_SECONDS = 0.01


class Entry(NamedTuple):
    """One entry of a stream: its id, the attempt that wrote it, and its event."""

    id: str
    attempt: int
    event: Event


async def follow(key: str, *, after: str = START) -> AsyncIterator[list[Entry]]:
    """Entries after this id as they come, those that arrived together in one list.

    An empty list after CHAT_STREAM_HEARTBEAT_SECONDS of silence, and each second while Redis does
    not answer: the caller then looks at PostgreSQL. Never ends by itself. When the stream does not
    hold the entry `after` (any more), it is followed from its first whole snapshot.
    """
    async with _hub().follower(key, after) as follower:
        while True:
            yield await follower.next_entries()


def _place(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)


class _Follower:
    """One open stream of one browser."""

    def __init__(self, after: str) -> None:
        self._last = _place(after)
        self._is_whole = after != START
        self.queue: asyncio.Queue[list[Entry]] = asyncio.Queue()

    async def next_entries(self) -> list[Entry]:
        """What has come since the last call, waiting for it; [] as `follow` says."""
        try:
            async with asyncio.timeout(settings.CHAT_STREAM_HEARTBEAT_SECONDS):
                entries = await self.queue.get()
        except TimeoutError:
            return []
        while not self.queue.empty():
            entries = entries + self.queue.get_nowait()
        return [entry for entry in entries if self._is_next(entry)]

    def _is_next(self, entry: Entry) -> bool:
        place = _place(entry.id)
        if place <= self._last:
            return False
        self._last = place
        # A trimmed stream may begin in the middle of the text.
        self._is_whole = self._is_whole or entry.event.name == events.SNAPSHOT
        return self._is_whole or entry.event.name != events.DELTA


class _Hub:
    """One blocking reader for all streams that an event loop follows.

    (A connection per open stream does not scale.) Each key has one cursor: a follower that joins
    with an older one sets it back, and each follower drops what it has seen.
    """

    def __init__(self) -> None:
        self._wake_key = f"atrium:wake:{uuid.uuid4()}"
        self._cursors: dict[str, str] = {self._wake_key: START}
        self._followers: dict[str, set[_Follower]] = {}
        self._is_blocked = False
        self._reader: asyncio.Task[None] | None = None
        # The reader has a connection of its own; everything else waits its turn for a few. Where
        # the server has closed it, the same question is asked once more at once.
        self._blocking = _client(connections=1, timeout_seconds=_BLOCK_MS / 1000 + 5, retries=1)
        self._client = _client(connections=4, timeout_seconds=5)

    @asynccontextmanager
    async def follower(self, key: str, after: str) -> AsyncIterator[_Follower]:
        """A follower of this key, until the block ends."""
        start = after if await self._holds(key, after) else START
        follower = _Follower(start)
        self._followers.setdefault(key, set()).add(follower)
        self._cursors[key] = min(self._cursors.get(key, start), start, key=_place)
        try:
            await self._read_or_wake()
            yield follower
        finally:
            self._followers[key].discard(follower)
            if not self._followers[key]:
                del self._followers[key], self._cursors[key]

    async def _holds(self, key: str, entry_id: str) -> bool:
        if entry_id == START or not _ID.fullmatch(entry_id):
            return False
        try:
            return bool(await self._client.xrange(key, entry_id, entry_id))
        except redis.RedisError:
            return False

    async def _read_or_wake(self) -> None:
        """Have the reader read the cursors as they are now."""
        if self._reader is None or self._reader.done():
            self._reader = asyncio.create_task(self._read())
            return
        if not self._is_blocked:
            return
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                pipe.xadd(self._wake_key, {b"w": b""}, maxlen=1)
                pipe.expire(self._wake_key, settings.CHAT_STREAM_TTL_SECONDS)
                await pipe.execute()
        except redis.RedisError as error:
            logger.warning("reader not woken: %s", type(error).__name__)

    async def _read(self) -> None:
        while self._followers:
            asked = dict(self._cursors)
            self._is_blocked = True
            try:
                reply: Any = await self._blocking.xread(asked, count=_READ_COUNT, block=_BLOCK_MS)  # type: ignore[arg-type]  # str keys are fine
            except (redis.RedisError, OSError) as error:
                logger.warning("streams not read: %s", type(error).__name__)
                self._tell_all_to_look()
                await asyncio.sleep(_AFTER_ERROR_SECONDS)
                continue
            finally:
                self._is_blocked = False
            for key, entries in reply:
                self._deliver(key.decode(), entries, asked)
            await asyncio.sleep(min(_PAUSE_PER_STREAM_SECONDS * len(asked), _MAX_PAUSE_SECONDS))

    def _deliver(self, key: str, raw_entries: list[Any], asked: dict[str, str]) -> None:
        if self._cursors.get(key) != asked[key]:
            return  # nobody follows it any more, or its cursor was set back meanwhile
        self._cursors[key] = raw_entries[-1][0].decode()
        followers = self._followers.get(key)
        if not followers:
            return
        entries = [
            Entry(raw_id.decode(), int(f[b"a"]), Event(f[b"e"].decode(), f[b"d"]))
            for raw_id, f in raw_entries
        ]
        for follower in followers:
            follower.queue.put_nowait(entries)

    def wake(self, key: str) -> None:
        """An empty list for each follower of this key."""
        for follower in self._followers.get(key, ()):
            follower.queue.put_nowait([])

    def _tell_all_to_look(self) -> None:
        for key in self._followers:
            self.wake(key)


def wake_followers(key: str) -> None:
    """Have those who follow this stream in this event loop look at PostgreSQL now."""
    _hub().wake(key)


def _client(*, connections: int, timeout_seconds: float, retries: int = 0) -> "redis.asyncio.Redis":
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        protocol=2,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=2,
        max_connections=connections,
        timeout=timeout_seconds,
        retry=Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        **asyncio_options(),
    )
    return redis.asyncio.Redis.from_pool(pool)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, _Hub] = WeakKeyDictionary()


def _hub() -> _Hub:
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = _Hub()
    return _hubs[loop]
