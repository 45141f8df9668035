"""One ``manage.py up`` at a time in a clone."""

import fcntl
import os
from pathlib import Path

from portal.embedded.errors import EmbeddedError


class Lock:
    """A file lock that the kernel gives back when this process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self) -> None:
        """Hold the lock; raise EmbeddedError when another process does."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise EmbeddedError(self._taken()) from error
        self._descriptor = descriptor
        self.note("")

    def note(self, address: str) -> None:
        """Keep for the next one who comes: our process id and address."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()} {address}".encode(), 0)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _taken(self) -> str:
        pid, _, address = self._path.read_text().partition(" ")
        at = f" at {address}" if address else ""
        stop = f"; stop it with: kill -INT {pid}" if pid else ""
        return f"Atrium already runs in this folder{at} (pid {pid or 'unknown'}){stop}"
