"""Azure Managed Redis, as far as signing in goes, in front of the tests' own Valkey.

The password is a token of `tests.cloud.identity`, the user is the identity's object id, and a
connection is closed when the token expires that it was last signed in with
(https://learn.microsoft.com/azure/redis/entra-for-authentication).
"""

import contextlib
import select
import socket
import ssl
import threading
import time
from typing import Any, Self
from urllib.parse import urlsplit

import hiredis

from tests.cloud.certificates import Certificate
from tests.cloud.identity import REDIS, Identity

OBJECT_ID = "0c6e1f1e-6f0d-4b57-9d2a-0d9b2a3c4d5e"
_PIECE = 65_536


class ManagedRedis:
    """``with ManagedRedis(identity, valkey.url) as redis: redis.url``; with a certificate, TLS.

    `signed_in` holds the tokens in the order in which connections gave them, `cut` counts the
    connections that a token's end closed, `refused` the sign-ins that were not let in.
    """

    def __init__(
        self, identity: Identity, behind: str, *, certificate: Certificate | None = None
    ) -> None:
        self.signed_in: list[str] = []
        self.cut = 0
        self.refused = 0
        self._identity = identity
        self._behind = urlsplit(behind)
        self._context = certificate.context() if certificate else None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut_all()

    @property
    def url(self) -> str:
        """REDIS_URL."""
        scheme = "rediss" if self._context else "redis"
        return f"{scheme}://{OBJECT_ID}@127.0.0.1:{self._listener.getsockname()[1]}/0"

    def cut_all(self) -> None:
        """Close every connection."""
        for client in [*self._open]:
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            stack.enter_context(client)
            place = (str(self._behind.hostname), int(self._behind.port or 0))
            behind = stack.enter_context(socket.create_connection(place))
            self._open.add(client)
            stack.callback(self._open.discard, client)
            if _Talk(self, client, behind).go_on():
                self.cut += 1

    def let_in(self, user: bytes, token: bytes) -> float | None:
        """Until when this token lets its connection work; None when it does not."""
        value = token.decode()
        known = [found for found in self._identity.issued_for(REDIS) if found.value == value]
        if user.decode() != OBJECT_ID or not known or not known[0].is_alive:
            self.refused += 1
            return None
        self.signed_in.append(value)
        return known[0].expires_at

    @property
    def password(self) -> bytes:
        """That of the Valkey behind."""
        return (self._behind.password or "").encode()


class _Talk:
    """One connection of a client, and ours for it to Valkey."""

    def __init__(self, server: ManagedRedis, client: socket.socket, behind: socket.socket) -> None:
        self._server, self._client, self._behind = server, client, behind
        self._reader = hiredis.Reader()
        self._ends_at = time.time() + 3600.0

    def go_on(self) -> bool:
        """Until one side closes, or the token ends: then True."""
        while (rest := self._ends_at - time.time()) > 0:
            for ready in self._ready(rest):
                piece = ready.recv(_PIECE)
                if not piece:
                    return False
                if ready is self._behind:
                    self._client.sendall(piece)
                else:
                    self._read(piece)
        return True

    def _ready(self, seconds: float) -> list[socket.socket]:
        if isinstance(self._client, ssl.SSLSocket) and self._client.pending():
            return [self._client]
        return select.select([self._client, self._behind], [], [], seconds)[0]

    def _read(self, piece: bytes) -> None:
        self._reader.feed(piece)
        while (command := self._reader.gets()) is not False:
            self._forward(command)

    def _forward(self, command: Any) -> None:
        words = [bytes(word).upper() for word in command]
        at = words.index(b"AUTH") if words[0] in {b"AUTH", b"HELLO"} and b"AUTH" in words else None
        if at is not None:
            ends_at = self._server.let_in(*command[at + 1 : at + 3])
            if ends_at is None:
                self._client.sendall(b"-WRONGPASS invalid username-password pair\r\n")
                return
            self._ends_at = ends_at
            command[at + 1 : at + 3] = [b"default", self._server.password]
        self._behind.sendall(hiredis.pack_command(tuple(command)))
