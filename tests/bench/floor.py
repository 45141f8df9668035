"""The least that has our shape: web → Redis ← worker, without a database, a page or a sign-in.

`python -m tests.bench.floor UPSTREAM_PORT` is the worker (gevent), `uvicorn
tests.bench.floor:application` the web process; REDIS_URL names the server between them. A request
is a job in a list, its answer a stream: the same libraries and the same number of hops as in the
portal, and nothing else. What the portal costs beyond it is what it does for people.
"""

from gevent import monkey

if __name__ == "__main__":
    monkey.patch_all()

import asyncio  # after the patches
import os
import socket
import sys
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import gevent
import httptools
import redis
import redis.asyncio

JOBS = "floor:jobs"
WAKE = "floor:wake"
END = b""
FLUSH_SECONDS = 0.01
Message = MutableMapping[str, Any]
HEADERS = [(b"content-type", b"text/event-stream")]


# ── Web ────────────────────────────────────────────────────────────────────────────────────────
class Relay:
    """One blocking reader for all open answers."""

    def __init__(self) -> None:
        self._client = redis.asyncio.Redis.from_url(os.environ["REDIS_URL"], protocol=2)
        self._blocking = redis.asyncio.Redis.from_url(
            os.environ["REDIS_URL"], protocol=2, socket_timeout=30
        )
        self._cursors: dict[bytes, bytes] = {WAKE.encode(): b"0-0"}
        self._answers: dict[bytes, asyncio.Queue[bytes]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def ask(self, body: bytes) -> tuple[bytes, "asyncio.Queue[bytes]"]:
        """Queue a job; its key, and what comes of it."""
        key = f"floor:{uuid.uuid4()}".encode()
        answer = self._answers[key] = asyncio.Queue()
        self._cursors[key] = b"0-0"
        self._reader = self._reader or asyncio.create_task(self._read())
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.xadd(WAKE, {b"w": b""}, maxlen=1)
            pipe.lpush(JOBS, key + b" " + body)
            await pipe.execute()
        return key, answer

    def forget(self, key: bytes) -> None:
        del self._answers[key], self._cursors[key]

    async def _read(self) -> None:
        while True:
            asked: Any = dict(self._cursors)
            reply: Any = await self._blocking.xread(asked, block=10_000)
            for key, entries in reply:
                if key in self._cursors:
                    self._cursors[key] = entries[-1][0]
                if answer := self._answers.get(key):
                    for _, fields in entries:
                        answer.put_nowait(fields[b"d"])


_relays: list[Relay] = []


async def application(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Answers every POST with the model's own stream."""
    if scope["type"] != "http":
        return
    if not _relays:
        _relays.append(Relay())
    body, is_whole = b"", False
    while not is_whole:
        message = await receive()
        body, is_whole = body + message.get("body", b""), not message.get("more_body")
    key, answer = await _relays[0].ask(body)
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    while piece := await answer.get():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    _relays[0].forget(key)
    await send({"type": "http.response.body"})


# ── Worker ─────────────────────────────────────────────────────────────────────────────────────
class Response:
    """What httptools calls."""

    def __init__(self) -> None:
        self.is_complete = False
        self.pieces: list[bytes] = []

    def on_body(self, body: bytes) -> None:
        self.pieces.append(body)

    def on_message_complete(self) -> None:
        self.is_complete = True


class Worker:
    """Takes jobs, a greenlet each, and writes what arrived since the last flush in one pipeline."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._client = redis.Redis.from_url(os.environ["REDIS_URL"], protocol=2)
        self._waiting: dict[bytes, list[bytes]] = {}

    def run(self) -> None:
        gevent.spawn(self._flush)
        while True:
            job: Any = self._client.brpop([JOBS])
            key, _, body = job[1].partition(b" ")
            gevent.spawn(self._answer, key, body)

    def _answer(self, key: bytes, body: bytes) -> None:
        response = Response()
        parser = httptools.HttpResponseParser(response)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        with socket.create_connection(("127.0.0.1", self._upstream)) as upstream:
            upstream.sendall(head.encode() + b"Content-Type: application/json\r\n\r\n" + body)
            while not response.is_complete:
                parser.feed_data(upstream.recv(65_536))
                self._waiting.setdefault(key, []).extend(response.pieces)
                response.pieces = []
        self._waiting.setdefault(key, []).append(END)

    def _flush(self) -> None:
        while True:
            gevent.sleep(FLUSH_SECONDS)
            waiting, self._waiting = self._waiting, {}
            if not any(waiting.values()):
                continue
            with self._client.pipeline(transaction=True) as pipe:
                for key, pieces in waiting.items():
                    if text := b"".join(pieces):
                        pipe.xadd(key, {b"d": text})
                    if END in pieces:
                        pipe.xadd(key, {b"d": END})
                        pipe.expire(key, 60)
                pipe.execute()


if __name__ == "__main__":
    Worker(int(sys.argv[1])).run()
