"""What PostgreSQL, Valkey and the model have in common: a folder, a port, secrets, a life."""

from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from portal.embedded import ports
from portal.embedded.private_files import new_password, read_record, write_record
from portal.embedded.processes import Child


class Server(ABC):
    """One server process on 127.0.0.1 and its folder.

    Port and generated passwords are kept in ``credentials.json`` (mode 0600) in that folder, so
    ``url`` is known before the start and stays the same at the next one. A kept port that is taken
    is replaced by the next free one. Use it as a context manager, or ``start()`` and ``stop()``.
    """

    first_port: int
    secrets: tuple[str, ...] = ("password",)

    def __init__(self, data_dir: Path, log: Path, *, port: int | None = None) -> None:
        self.folder = data_dir.absolute()
        self.log = log.absolute()
        self.process: Child | None = None
        self._credentials = self._prepare(port)

    @property
    def port(self) -> int:
        return int(self._credentials["port"])

    @property
    @abstractmethod
    def url(self) -> str:
        """Address for clients, with its secret where the protocol puts it there."""

    @abstractmethod
    def start(self) -> None:
        """Return when the server answers; raise EmbeddedError when it does not."""

    def restart(self) -> None:
        """Start it again after it died."""
        self.stop()
        self.start()

    def current_process(self) -> Child | None:
        """The process that was started last."""
        return self.process

    def stop(self) -> None:
        """Stop the server; its data stays."""
        if self.process is not None:
            self.process.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _prepare(self, port: int | None) -> dict[str, str]:
        path = self.folder / "credentials.json"
        kept = read_record(path)
        credentials = {name: kept.get(name) or new_password() for name in self.secrets}
        preferred = int(kept.get("port", ports.stable_port(str(self.folder), self.first_port)))
        credentials["port"] = str(port or ports.free_port(preferred))
        if credentials != kept:
            write_record(path, credentials)
        return credentials
