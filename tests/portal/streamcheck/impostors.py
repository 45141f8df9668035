"""Servers that are no portal, or a portal behind something: what an operator may run into."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

LOGIN_PATH = "/accounts/login/"


class Said(NamedTuple):
    """One answer; `as_portal`: with the id of the request, as the portal gives it."""

    status: int = 403
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    as_portal: bool = True


ALIVE = Said(200, b'{"alive": true}')
BLOCKED = Said(403, b"<html><title>403 Forbidden</title></html>", as_portal=False)
Script = Callable[[str, bytes], Said]


def portal(path: str, _body: bytes = b"") -> Said:
    """What the portal says to a stranger."""
    if path == "/healthz":
        return ALIVE
    return Said(200) if path == LOGIN_PATH else Said(404 if path == "/streamz" else 403)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = type(self).script(self.path, body)
        self.send_response(said.status)
        if said.as_portal:
            self.send_header("X-Request-Id", self.headers.get("X-Request-Id", ""))
        for name, value in said.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said.body)))
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_POST = do_PUT = do_TRACE = _answer  # noqa: N815  # the standard library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its own signature
        """Nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: clients that go away are what some tests are about."""


@contextmanager
def impostor(script: Script = portal, *, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server that answers so; over TLS with a context."""
    handler = type("Handler", (_Handler,), {"script": staticmethod(script)})
    server = _Server(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
