"""A TLS server for tests, which also knows how to be broken.

What is said over TLS is a `speak` function's; `tls_server_http` and `tls_server_relay` have some.
"""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from enum import Enum
from typing import Self

from tests.cloud.certificates import Certificate

Speak = Callable[[ssl.SSLSocket], None]
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
_QUEUE_FILLERS = 4


class Manner(Enum):
    """How a server treats who connects."""

    WELL = "well"
    CLOSED = "the port is closed"
    SWALLOWS = "packets to the port are dropped"
    HANGS = "takes the connection and says nothing"
    HANGS_INSIDE = "says nothing once TLS is up"
    CUTS = "takes the connection and closes it"
    PLAIN = "answers without TLS"


class TlsServer:
    """``with TlsServer(speak, certificate) as server: server.port``.

    `is_postgres`: a client asks for TLS first, as PostgreSQL's do.
    """

    def __init__(
        self,
        speak: Speak,
        certificate: Certificate,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        is_postgres: bool = False,
    ) -> None:
        self.certificate = certificate
        self.speak = speak
        self._is_postgres = is_postgres
        self._manner = Manner.WELL
        self._fillers: list[socket.socket] = []
        self._released = threading.Event()
        self._server = self._listen((address, port), 64)
        self.address, self.port = self._server.getsockname()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._stop()

    @property
    def manner(self) -> Manner:
        """How it treats who connects; may be changed at any time."""
        return self._manner

    @manner.setter
    def manner(self, manner: Manner) -> None:
        if manner == self._manner:
            return
        self._released.set()
        self._released = threading.Event()
        self._stop()
        self._manner = manner
        if manner == Manner.CLOSED:
            return
        backlog = 0 if manner == Manner.SWALLOWS else 64
        self._server = self._listen((self.address, self.port), backlog)
        if manner == Manner.SWALLOWS:
            self._fill_queue()
        else:
            self._start()

    def _listen(self, place: tuple[str, int], backlog: int) -> socket.socket:
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(place)
        server.listen(backlog)
        return server

    def _start(self) -> None:
        threading.Thread(target=self._accept, args=[self._server], daemon=True).start()

    def _stop(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers = []
        with contextlib.suppress(OSError):  # closed already
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _fill_queue(self) -> None:
        """Nobody accepts: with a full queue Linux drops what else wants to connect."""
        for _ in range(_QUEUE_FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex((self.address, self.port))
            self._fillers.append(filler)

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        released, manner = self._released, self._manner
        with connection, contextlib.suppress(OSError):
            if manner == Manner.HANGS:
                released.wait()
            if manner in {Manner.CUTS, Manner.HANGS}:
                return
            if manner == Manner.PLAIN:
                self._say_plainly(connection)
                return
            if self._is_postgres and connection.recv(len(_SSL_REQUEST)) == _SSL_REQUEST:
                connection.sendall(b"S")
            with self.certificate.context().wrap_socket(connection, server_side=True) as secure:
                if manner == Manner.HANGS_INSIDE:
                    released.wait()
                else:
                    self.speak(secure)

    def _say_plainly(self, connection: socket.socket) -> None:
        """What a server without TLS does with a client that wants it."""
        if self._is_postgres:
            connection.recv(len(_SSL_REQUEST))
            connection.sendall(b"N")
        else:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\nplain text here\r\n")
            connection.recv(1024)
