"""The running portal: web, worker and beat as processes, on the database of the tests."""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from portal import entry
from portal.embedded import ports
from portal.embedded.processes import Child, Program
from tests import servers

# Whose forwarded headers are believed: the tests' own, from the address that all of them have.
GATEWAY = "127.0.0.1/32"


def wait_until(condition: Callable[[], bool], *, seconds: float = 30.0, what: str = "") -> None:
    """Return once the condition holds; AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or condition}"
        time.sleep(0.05)


class Stack:
    """One web process, one worker and one beat. `kill` ends one of them with SIGKILL."""

    def __init__(self, folder: Path) -> None:
        # Other runs on the same machine begin elsewhere.
        self.port = ports.free_port(18_000 + os.getpid() % 900)
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        celery = [sys.executable, "-m", "celery", "-A", "portal"]
        web = entry.web(host="127.0.0.1", port=self.port)
        self.web = self._child("web", [sys.executable, *web])
        self.worker = self._child(
            "worker",
            [*celery, "worker", "--pool=gevent", "--concurrency=50", "--queues=chat,default"],
        )
        self.beat = self._child("beat", [*celery, "beat"])

    def __enter__(self) -> Self:
        for child in (self.web, self.worker, self.beat):
            child.start()
        self.wait_until_ready()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in (self.beat, self.worker, self.web):
            child.ask_to_stop()
        for child in (self.beat, self.worker, self.web):
            child.stop()

    def wait_until_ready(self) -> None:
        """Until /readyz says so: database, Redis and a worker are there."""
        wait_until(self._is_ready, seconds=60, what=f"/readyz, see {self._folder}")

    def restore(self) -> None:
        """Start again what a test has ended."""
        for child in (self.web, self.worker, self.beat):
            if not child.is_running():
                child.start()
        self.wait_until_ready()

    def kill(self, child: Child) -> None:
        """SIGKILL, as a crash would end it."""
        os.kill(child.pid, 9)
        wait_until(lambda: not child.is_running(), what=f"the end of {child.name}")

    def log(self, name: str) -> str:
        """What this process has written so far."""
        return (self._folder / f"{name}.log").read_text()

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _child(self, name: str, command: list[str]) -> Child:
        log = self._folder / f"{name}.log"
        environment = environment_for(PUBLIC_URL=self.url, GATEWAY_NETWORKS=GATEWAY)
        return Child(Program(name, command, log=log, environment=environment))


def environment_for(**settings: str) -> dict[str, str]:
    """Of a process of the portal, on the tests' database, with these settings."""
    return {
        **os.environ,
        "DATABASE_URL": address_of_test_database(),
        "DATABASE_OWNER_URL": "",
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


def address_of_test_database() -> str:
    """DATABASE_URL for a process that is to work on the tests' database, without any scope."""
    return servers.postgres.url
