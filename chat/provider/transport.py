"""HTTP/1.1 for model calls: plain sockets, and httptools to read what comes.

The SDK's own transport spends a third of the worker's time in layers that take a stream apart in
Python, chunk by chunk (docs/decisions/0015-speed.md). This one hands on what each read brings as
one piece. Connections are kept open between calls, and closed when a response was not read to its
end. Certificates are checked as the SDK does.
"""

import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httptools
import httpx2

_READ_BYTES = 65_536
_LONGEST_HEAD = 65_536
_MOST_IDLE = 50
# Firewalls forget silent connections without a word, some after four minutes.
_LONGEST_IDLE_SECONDS = 30.0
_PORTS = {"http": 80, "https": 443}
_Place = tuple[str, str, int]


class _Response:
    """A response as httptools reads it."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.headers: list[tuple[bytes, bytes]] = []
        self.body: list[bytes] = []
        self.has_head = False
        self.is_complete = False
        self.keeps_connection = False

    def on_message_begin(self) -> None:
        if self.is_complete:
            self.keeps_connection = False
            raise httptools.HttpParserError("a second response, which nobody asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.has_head = self.parser.get_status_code() >= 200
        if not self.has_head:  # what comes before the response, as Early Hints (RFC 9110, 15.2)
            self.headers.clear()

    def on_body(self, body: bytes) -> None:
        self.body.append(body)

    def on_message_complete(self) -> None:
        self.is_complete = self.has_head
        self.keeps_connection = self.parser.should_keep_alive()  # known now, and not later


class _Connection:
    """A connection to one place, with one response at a time."""

    def __init__(self, place: _Place, sock: socket.socket) -> None:
        self.place = place
        self._socket = sock
        self._response = _Response()
        self.released_at = 0.0

    @property
    def is_fit(self) -> bool:
        """Whether it may carry another call: used lately, and nothing came since, nor its end."""
        if time.monotonic() - self.released_at > _LONGEST_IDLE_SECONDS:
            return False
        self._socket.settimeout(0)
        try:
            self._socket.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def ask(self, request: httpx2.Request, timeouts: dict[str, float | None]) -> None:
        """Send the request, and wait for the head of the response."""
        self._response = _Response()
        with _errors_as(httpx2.WriteTimeout, httpx2.WriteError):
            self._socket.settimeout(timeouts.get("write"))
            self._socket.sendall(_encode(request))
        self._socket.settimeout(timeouts.get("read"))
        size = 0
        while not self._response.has_head:
            size += self._read()
            if size > _LONGEST_HEAD and not self._response.has_head:
                raise httpx2.RemoteProtocolError("the head of the response is too long")

    def response(self, release: "Callable[[_Connection], None]") -> httpx2.Response:
        """The response to what was asked; `release` is called when it is closed."""
        status, headers = self._response.parser.get_status_code(), self._response.headers
        return httpx2.Response(status, headers=headers, stream=_Body(self, release))

    def read_body(self) -> Iterator[bytes]:
        """What each read brings, to the end of the response."""
        response = self._response
        while True:
            if response.body:
                body, response.body = b"".join(response.body), []
                yield body
            if response.is_complete:
                return
            if not self._read():
                return  # a body without a length ends with its connection

    @property
    def is_free(self) -> bool:
        """Whether the response was read to its end, and the connection outlives it."""
        return self._response.is_complete and self._response.keeps_connection

    def close(self) -> None:
        self._socket.close()

    def _read(self) -> int:
        with _errors_as(httpx2.ReadTimeout, httpx2.ReadError):
            data = self._socket.recv(_READ_BYTES)
        if not data and (not self._response.has_head or self._has_length):
            raise httpx2.RemoteProtocolError("the connection was closed within the response")
        try:
            if data:
                self._response.parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._response.is_complete:  # else the response itself is whole
                raise httpx2.RemoteProtocolError(str(error)) from error
        return len(data)

    @property
    def _has_length(self) -> bool:
        named = {name.lower() for name, _ in self._response.headers}
        return not named.isdisjoint({b"content-length", b"transfer-encoding"})


class _Body(httpx2.SyncByteStream):
    """The body of a response; gives its connection back."""

    def __init__(self, connection: _Connection, release: Callable[[_Connection], None]) -> None:
        self._connection = connection
        self._release = release
        self._is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self._connection.read_body()

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._release(self._connection)


class Transport(httpx2.BaseTransport):
    """Sends requests over connections of its own; for threads and greenlets."""

    def __init__(self) -> None:
        self._context = httpx2.create_ssl_context()
        self._idle: deque[_Connection] = deque(maxlen=_MOST_IDLE)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response; its body is read while it is used. Raises httpx2.TransportError."""
        timeouts: dict[str, Any] = request.extensions.get("timeout", {})
        connection = self._idle_one(_place(request.url)) or self._open(
            _place(request.url), timeouts.get("connect")
        )
        try:
            connection.ask(request, timeouts)
        except BaseException:  # also when the greenlet is killed
            connection.close()
            raise
        return connection.response(self._release)

    def close(self) -> None:
        """Close what is kept open."""
        while self._idle:
            self._idle.pop().close()

    def _idle_one(self, place: _Place) -> _Connection | None:
        """The connection to this place that was used last, if it can still be used."""
        for connection in reversed(list(self._idle)):
            if connection.place == place and self._take(connection):
                if connection.is_fit:
                    return connection
                connection.close()
        return None

    def _take(self, connection: _Connection) -> bool:
        try:
            self._idle.remove(connection)
        except ValueError:  # somebody else was faster
            return False
        return True

    def _open(self, place: _Place, timeout: float | None) -> _Connection:
        scheme, host, port = place
        with _errors_as(httpx2.ConnectTimeout, httpx2.ConnectError):
            sock = socket.create_connection((host, port), timeout)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                if scheme == "https":
                    sock = self._context.wrap_socket(sock, server_hostname=host)
            except BaseException:
                sock.close()
                raise
        return _Connection(place, sock)

    def _release(self, connection: _Connection) -> None:
        if not connection.is_free or len(self._idle) >= _MOST_IDLE:
            connection.close()
            return
        connection.released_at = time.monotonic()
        self._idle.append(connection)


def _place(url: httpx2.URL) -> _Place:
    return url.scheme, url.host, url.port or _PORTS[url.scheme]


def _encode(request: httpx2.Request) -> bytes:
    target = request.url.raw_path
    lines = [b"%b: %b" % header for header in request.headers.raw]
    head = b"\r\n".join([b"%b %b HTTP/1.1" % (request.method.encode(), target), *lines])
    return head + b"\r\n\r\n" + request.read()


@contextmanager
def _errors_as(
    timeout: type[httpx2.TransportError], failure: type[httpx2.TransportError]
) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise timeout(str(error)) from error
    except OSError as error:  # also of TLS
        raise failure(str(error)) from error
