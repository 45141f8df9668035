"""The whole portal for a benchmark: own PostgreSQL, Valkey, web, worker and beat, all new."""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from portal.embedded.postgres import Postgres
from portal.embedded.processes import Child, Program
from portal.embedded.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 60
SEED = "import django; django.setup(); from tests.bench import seed; "
WEB = ["uvicorn", "portal.asgi:application", "--host", "127.0.0.1", "--no-access-log"]
WEB += ["--timeout-keep-alive", "75", "--port"]
WORKER = ["celery", "-A", "portal", "worker", "--pool", "gevent", "--concurrency", "240"]
WORKER += ["--queues", "chat,default", "--without-gossip", "--without-mingle"]
WORKER += ["--without-heartbeat"]


@dataclass
class Stack:
    """A running portal: where it is, who may sign in, and its processes by name."""

    port: int
    people: list[dict[str, str]]
    pids: dict[str, int]
    start_seconds: float
    owner_url: str
    superuser_url: str
    environment: dict[str, str]


@contextmanager
def running(folder: Path, upstream_port: int) -> Iterator[Stack]:
    """Start everything in `folder`, and stop everything that was started at the end."""
    with ExitStack() as exits:
        postgres = exits.enter_context(Postgres(folder / "postgres", folder / "postgres.log"))
        valkey = exits.enter_context(Valkey(folder / "valkey", folder / "valkey.log"))
        port = free_port()
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DEBUG": "false",
            "DATABASE_URL": postgres.url,
            "DATABASE_OWNER_URL": "",
            "REDIS_URL": valkey.url,
            "OPENAI_BASE_URL": f"http://127.0.0.1:{upstream_port}/v1",
            "OPENAI_API_KEY": "bench",
            "AZURE_OPENAI_ENDPOINT": "",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "STATIC_ROOT": str(folder / "static"),
            "CHAT_MAX_RUNNING": "10000",
        }
        people = prepare(environment, postgres.owner_url)
        began = time.monotonic()
        children = [
            exits.enter_context(process("web", [*WEB, str(port)], folder, environment)),
            exits.enter_context(process("worker", WORKER, folder, environment)),
            exits.enter_context(process("beat", beat_command(folder), folder, environment)),
        ]
        wait_until_ready(port, children)
        pids = {child.name: child.pid for child in children}
        for name, server in (("postgres", postgres), ("valkey", valkey)):
            child = server.current_process()
            pids[name] = child.pid if child else 0
        yield Stack(
            port,
            people,
            pids,
            time.monotonic() - began,
            owner_url=postgres.owner_url,
            superuser_url=postgres.superuser_url,
            environment=environment,
        )


def prepare(environment: dict[str, str], owner_url: str) -> list[dict[str, str]]:
    """Tables, made by their owner; static files and people."""
    as_owner = environment | {"DATABASE_OWNER_URL": owner_url}
    run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], as_owner)
    run([sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"], environment)
    return run_seed(environment, "seed.main()")


def run_seed(environment: dict[str, str], call: str) -> list[dict[str, str]]:
    """What this call of tests/bench/seed.py prints, in a process of its own."""
    printed: list[dict[str, str]] = json.loads(
        run([sys.executable, "-c", SEED + call], environment)
    )
    return printed


def run(command: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def beat_command(folder: Path) -> list[str]:
    schedule = str(folder / "beat-schedule")
    return ["celery", "-A", "portal", "beat", "--schedule", schedule, "--pidfile", ""]


@contextmanager
def process(
    name: str, module: list[str], folder: Path, environment: dict[str, str]
) -> Iterator[Child]:
    command = [sys.executable, "-m", *module]
    child = Child(
        Program(name, command, folder / f"{name}.log", environment=environment, directory=ROOT)
    )
    child.start()
    try:
        yield child
    finally:
        child.stop()


def seconds_to_first_answer(folder: Path, environment: dict[str, str]) -> float:
    """How long a web process takes from its start to its first page."""
    port, began = free_port(), time.monotonic()
    with process("web-again", [*WEB, str(port)], folder, environment) as child:
        while not answers(f"http://127.0.0.1:{port}/accounts/login/"):
            child.raise_if_ended()
            time.sleep(0.01)
        return time.monotonic() - began


def wait_until_ready(port: int, children: list[Child]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(f"http://127.0.0.1:{port}/readyz"):
        for child in children:
            child.raise_if_ended()
        if time.monotonic() > deadline:
            raise SystemExit("the portal did not become ready; its logs are kept")
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
