"""TCP ports: one that stays the same for a clone, a free one instead, and who holds a taken one."""

import errno
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path

LOCAL = "127.0.0.1"
# Ports of one kind of server; all below those that Linux and macOS take for outgoing connections.
RANGE = 3000
LISTEN = "0A"
TAKEN = "is taken"


def problem(port: int, host: str = LOCAL) -> str:
    """Why a server could not listen here; empty when it could."""
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except PermissionError:
        return "may not be used by this user"
    except OSError as error:
        return TAKEN if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
    return ""


def is_free(port: int, host: str = LOCAL) -> bool:
    """Whether a server could listen on this port now."""
    return not problem(port, host)


def stable_port(name: str, first: int) -> int:
    """The port to prefer for this name (a path): the same at every start."""
    return first + zlib.crc32(name.encode()) % RANGE


def free_port(preferred: int, host: str = LOCAL) -> int:
    """The preferred port, or the next free one above it."""
    for port in range(preferred, min(preferred + 1000, 65536)):
        if is_free(port, host):
            return port
    raise OSError(f"no free port between {preferred} and {preferred + 999}")


def holder(port: int) -> str:
    """Who listens on this port, as ``name (pid 123)``; empty when that cannot be known."""
    inodes = set(_listening_inodes(port))
    for folder in Path("/proc").glob("[0-9]*") if inodes else ():
        if inodes & set(_socket_inodes(folder / "fd")):
            return f"{_program(folder)} (pid {folder.name})"
    return ""


def _listening_inodes(port: int) -> Iterator[str]:
    """Socket inodes that listen on this port, from Linux's tables."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            fields = line.split()
            if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]


def _socket_inodes(folder: Path) -> Iterator[str]:
    """Inodes of the sockets that a process has open; none where they may not be seen."""
    try:
        for descriptor in folder.iterdir():
            yield str(descriptor.readlink()).removeprefix("socket:[").removesuffix("]")
    except OSError:
        return


def _program(folder: Path) -> str:
    try:
        return (folder / "comm").read_text().strip()
    except OSError:
        return "a program"
