"""A whole portal to be broken: PostgreSQL, Valkey, web, two workers and beat, all new."""

import json
import os
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal import entry
from portal.embedded.postgres import Postgres
from portal.embedded.processes import Child, Program
from portal.embedded.server import Server
from portal.embedded.valkey import Valkey
from tests.bench.stack import ROOT, answers, free_port, run
from tests.stack import wait_until

READY_SECONDS = 60.0
WORKERS = ("worker-1", "worker-2")
HEARTBEAT_LIMIT = 10.0
SWEEP = 3.0
# Short limits, so that a fault takes seconds; slots for a crowd of fifty on two workers.
LIMITS = {
    "MODEL_CONNECT_SECONDS": "2",
    "MODEL_FIRST_TOKEN_SECONDS": "10",
    "MODEL_SILENCE_SECONDS": "8",
    "CHAT_PULSE_SECONDS": "0.25",
    "CHAT_HEARTBEAT_LIMIT_SECONDS": f"{HEARTBEAT_LIMIT:g}",
    "CHAT_WORKER_SLOTS": "40",
    "DATABASE_POOL_TIMEOUT": "5",
}


@dataclass
class Portal:
    """A running portal, and how to end and restart its parts."""

    port: int
    people: list[dict[str, str]]
    deployments: dict[str, str]  # ids by name
    postgres: Postgres
    valkey: Valkey
    processes: dict[str, Child]
    away: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        """Of the database, for a role that sees every row."""
        return self.postgres.superuser_url.removesuffix("/postgres") + "/atrium"

    def kill(self, name: str, *, away_seconds: float) -> None:
        """SIGKILL this process, and start it again after a while, as a platform does."""
        child = self.processes[name]
        os.kill(child.pid, signal.SIGKILL)
        wait_until(lambda: not child.is_running(), what=f"the end of {name}")
        time.sleep(away_seconds)
        child.start()

    def replace(self, name: str) -> None:
        """Ask this process to stop, wait until it has gone, and start it again."""
        child = self.processes[name]
        child.ask_to_stop()
        wait_until(lambda: not child.is_running(), seconds=60, what=f"the end of {name}")
        child.start()

    def stop_valkey(self, *, away_seconds: float, loses_data: bool) -> None:
        """Stop Valkey, with what it holds or without, and start it again after a while."""
        self.valkey.stop()
        if loses_data:
            shutil.rmtree(self.valkey.folder / "appendonlydir")
        time.sleep(away_seconds)
        self.valkey.start()

    def restart_postgres(self, how: signal.Signals, *, away_seconds: float) -> None:
        """SIGINT: fast shutdown; SIGQUIT: immediate, recovered from its log at the start."""
        process = self.postgres.process
        assert process is not None
        os.kill(process.pid, how)
        wait_until(lambda: not process.is_running(), what="the end of PostgreSQL")
        time.sleep(away_seconds)
        self.postgres.start()

    def wait_until_ready(self) -> None:
        """Until database, Valkey and a worker are there for the web process."""
        url = f"http://127.0.0.1:{self.port}/readyz"
        wait_until(lambda: answers(url), seconds=READY_SECONDS, what=url)


@contextmanager
def running(folder: Path, deployments: Mapping[str, Mapping[str, str]]) -> Iterator[Portal]:
    """Start everything in `folder`, and stop everything that was started at the end.

    A database that is there already has its tables.
    """
    is_migrated = (folder / "postgres" / "data").exists()
    with ExitStack() as exits:
        postgres = exits.enter_context(Postgres(folder / "postgres", folder / "postgres.log"))
        valkey = exits.enter_context(Valkey(folder / "valkey", folder / "valkey.log"))
        port = free_port()
        environment = _environment(folder, port, postgres, valkey)
        if not is_migrated:
            _manage(environment | {"DATABASE_OWNER_URL": postgres.owner_url}, "migrate")
        seeded = _prepare(environment, deployments)
        processes = {name: _child(name, port, folder, environment) for name in _names()}
        for child in processes.values():
            exits.callback(child.stop)
            child.start()
        for child in processes.values():
            exits.callback(child.ask_to_stop)
        portal = Portal(port, seeded["people"], seeded["deployments"], postgres, valkey, processes)
        portal.wait_until_ready()
        yield portal


def _names() -> tuple[str, ...]:
    return ("web", *WORKERS, "beat")


def _child(name: str, port: int, folder: Path, environment: Mapping[str, str]) -> Child:
    commands = {"web": entry.web(host="127.0.0.1", port=port), "beat": entry.beat()}
    command = commands.get(name, entry.worker())
    if name == "beat":
        command = [*command, "--schedule", str(folder / "beat-schedule")]
    return Child(
        Program(
            name,
            [sys.executable, *command],
            log=folder / f"{name}.log",
            environment=environment,
            directory=ROOT,
        )
    )


def _environment(folder: Path, port: int, postgres: Server, valkey: Server) -> dict[str, str]:
    own = {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DEBUG": "false",
        "DATABASE_URL": postgres.url,
        "DATABASE_OWNER_URL": "",
        "REDIS_URL": valkey.url,
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "OPENAI_API_KEY": "a-key-of-the-faults",
        "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:9",
        "AZURE_OPENAI_API_KEY": "another-key-of-the-faults",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }
    static = {"STATIC_ROOT": os.environ.get("STATIC_ROOT", str(folder / "static"))}
    return os.environ | own | LIMITS | static


def _prepare(
    environment: dict[str, str], deployments: Mapping[str, Mapping[str, str]]
) -> dict[str, Any]:
    """Static files (which the tests have already), people and deployments."""
    if not Path(environment["STATIC_ROOT"]).is_dir():
        _manage(environment, "collectstatic", "--no-input")
    seed = [sys.executable, "-m", "tests.faults.suite.seed", json.dumps(deployments)]
    seeded: dict[str, Any] = json.loads(run(seed, environment))
    return seeded


def _manage(environment: dict[str, str], *command: str) -> None:
    run([sys.executable, "manage.py", *command, "--verbosity", "0"], environment)
