"""The HTTP side: connections, requests, routes."""

import asyncio
import json
from typing import Any, cast

import httptools

from tests.upstream.log import Log, Request
from tests.upstream.plan import completion, steps, token_time
from tests.upstream.playing import Player, split
from tests.upstream.script import Refusal, Reply, Script, Scripts, Silence

PREFIXES = ("/v1", "/openai/v1")
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}


class Connection(asyncio.Protocol):
    """One kept-alive connection of a client, one request at a time."""

    transport: asyncio.Transport

    def __init__(self, scripts: Scripts, log: Log, siblings: "set[Connection]") -> None:
        self._scripts, self._log, self._siblings = scripts, log, siblings
        self._parser = httptools.HttpRequestParser(self)
        self._url, self._body = b"", b""
        self._headers: dict[str, str] = {}
        self._request: Request | None = None
        self._player: Player | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass
        self._siblings.add(self)
        self.transport.set_write_buffer_limits(high=1 << 30)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's name
        self._siblings.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._player is not None:
            self._player.stop()
        if self._request is not None:
            self._log.end(self._request, complete=False)

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        self._url, self._body, self._headers = b"", b"", {}

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        path = self._url.decode("latin-1").partition("?")[0]
        method = self._parser.get_method().decode()
        request = Request(method, path, self._headers)
        prefix, _, rest = path.rpartition("/v1")
        if prefix + "/v1" not in PREFIXES and path != "/requests":
            self._answer(request, Refusal(404, {"error": {"message": f"no such path: {path}"}}))
        elif rest == "/chat/completions" and method == "POST":
            self._chat(request)
        else:
            self._look_up(request, rest or path)

    # Answers

    def _chat(self, request: Request) -> None:
        try:
            request.body = json.loads(self._body)
        except ValueError:
            self._answer(request, Refusal(400, {"error": {"message": "the body is no JSON"}}))
            return
        request.count_input()
        self._request = request
        self._log.add(request)
        self._play(request, self._scripts.pick(request.prompt))

    def _play(self, request: Request, script: Script) -> None:
        if isinstance(script, Silence):
            return
        if isinstance(script, Refusal):
            self._later(script.after_seconds, request, script)
        elif request.body.get("stream"):
            played = steps(script, request)
            played = split(played, script.split_bytes) if script.split_bytes else played
            self._player = Player(self.transport, played, request, self._log)
            self._player.start()
        else:
            self._later(_duration(script), request, Refusal(200, completion(script, request)))

    def _later(self, seconds: float, request: Request, answer: Refusal) -> None:
        if seconds:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._answer, request, answer)
        else:
            self._answer(request, answer)

    def _look_up(self, request: Request, name: str) -> None:
        if name == "/models" and request.method == "GET":
            models = [{"id": "upstream", "object": "model", "created": 0, "owned_by": "tests"}]
            self._answer(request, Refusal(200, {"object": "list", "data": models}))
        elif name == "/requests":
            summaries: list[Any] = [entry.summary() for entry in self._log.requests]
            self._answer(request, Refusal(200, {"requests": summaries}))
        else:
            self._answer(request, Refusal(404, {"error": {"message": f"no such path: {name}"}}))

    def _answer(self, request: Request, answer: Refusal) -> None:
        body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        headers = {"content-type": answer.content_type, "content-length": str(len(body))}
        lines = "".join(
            f"{name}: {value}\r\n" for name, value in (headers | answer.headers).items()
        )
        reason = REASONS.get(answer.status, "Status")
        head = f"HTTP/1.1 {answer.status} {reason}\r\n{lines}\r\n".encode("latin-1")
        request.status = answer.status
        self.transport.write(head + body)
        self._log.end(request, complete=True)


def _duration(reply: Reply) -> float:
    return token_time(reply, len(reply.pieces))


class Listener:
    """The listening socket and the connections that came through it."""

    def __init__(self, server: asyncio.Server, connections: set[Connection]) -> None:
        self._server, self._connections = server, connections
        self.port: int = server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._server.close()
        for connection in list(self._connections):
            connection.transport.abort()


async def listen(scripts: Scripts, log: Log, port: int = 0) -> Listener:
    """Serve on 127.0.0.1; port 0 takes a free one."""
    connections: set[Connection] = set()

    def connect() -> Connection:
        return Connection(scripts, log, connections)

    loop = asyncio.get_running_loop()
    return Listener(await loop.create_server(connect, "127.0.0.1", port, backlog=1024), connections)
