"""Ask a Redis or Valkey server whether it is there and takes the password."""

import socket
import ssl
from urllib.parse import unquote, urlsplit

READY, LOADING = "+PONG", "-LOADING"


class RedisError(Exception):
    """The server answered, with this error of its own."""


def ping(url: str, *, seconds: float) -> None:
    """Return when the server behind this address answers PING.

    Raises OSError while it cannot be reached or still loads its data, RedisError when it
    answers with an error (a wrong password, for one).
    """
    address = urlsplit(url)
    host, port = address.hostname or "127.0.0.1", address.port or 6379
    with socket.create_connection((host, port), timeout=seconds) as plain:
        if address.scheme == "rediss":
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secure:
                _talk(secure, address.username, address.password)
        else:
            _talk(plain, address.username, address.password)


def _talk(connection: socket.socket, username: str | None, password: str | None) -> None:
    with connection.makefile("rwb") as stream:
        commands = [["PING"]]
        if password:
            names = [unquote(username)] if username else []
            commands.insert(0, ["AUTH", *names, unquote(password)])
        for command in commands:
            stream.write(_encoded(command))
            stream.flush()
            _accept(stream.readline().decode(errors="replace").strip())


def _encoded(command: list[str]) -> bytes:
    parts = [part.encode() for part in command]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(p), p) for p in parts)


def _accept(answer: str) -> None:
    if answer.startswith(LOADING):
        raise ConnectionError("it is loading its data")
    if answer.startswith("-"):
        raise RedisError(answer[1:])
    if not answer.startswith("+"):
        raise ConnectionError("no Redis answers there")
