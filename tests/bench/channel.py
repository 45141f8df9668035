"""A cheap HTTP/1.1 client: one kept-alive connection, bodies as they arrive."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self, cast

import httptools

OnBody = Callable[[bytes], None]


@dataclass
class Answer:
    """A response; `body` stays empty when it was handed on as it came."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Channel(asyncio.Protocol):
    """One connection to a server on 127.0.0.1, one request at a time."""

    def __init__(self) -> None:
        self._answer = Answer()
        self._done: asyncio.Future[Answer] | None = None
        self._on_body: OnBody | None = None
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)

    @classmethod
    async def open(cls, port: int) -> Self:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_connection(cls, "127.0.0.1", port)
        return protocol

    async def ask(self, request: bytes, on_body: OnBody | None = None) -> Answer:
        """Send a request and wait for the end of its response; ConnectionError if it is cut."""
        if self._transport is None or not self.is_open:
            raise ConnectionError("the connection is closed")
        self._answer, self._on_body = Answer(), on_body
        self._parser = httptools.HttpResponseParser(self)
        self._done = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._done

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # Callbacks of the event loop and the parser

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"no HTTP: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"connection lost: {exc}")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._answer.headers.append((name.decode().lower(), value.decode()))

    def on_headers_complete(self) -> None:
        self._answer.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        if self._on_body is not None and self._answer.status == 200:
            self._on_body(body)
        else:
            self._answer.body += body

    def on_message_complete(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(self._answer)

    def _fail(self, reason: str) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_exception(ConnectionError(reason))


def encode(
    method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> bytes:
    lines = {"Host": "127.0.0.1", "Accept": "*/*"} | (headers or {})
    if method == "POST":
        lines["Content-Length"] = str(len(body))
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
