"""No process starts with a role that row-level security does not bind."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx2
import pytest
from django.conf import settings

from portal import start
from portal.embedded.errors import EmbeddedError
from portal.embedded.ports import free_port
from portal.embedded.postgres import Postgres
from portal.embedded.processes import Child, Program
from portal.embedded.steps import refuse_bypass
from tests import commands, servers
from tests.stack import wait_until

WEB = ["uvicorn", "portal.asgi:application", "--port"]
WORKER = ["celery", "-A", "portal", "worker", "--pool", "solo", "--queues", "nothing"]
BEAT = ["celery", "-A", "portal", "beat", "--schedule", "/dev/null", "--pidfile", ""]
SUPERUSER = servers.postgres.superuser_url.removesuffix("postgres") + "atrium"


def environment(url: str) -> dict[str, str]:
    """Of a process with this database, whose worker is heard by nobody else."""
    redis = settings.REDIS_URL.removesuffix("/0") + "/1"
    changes = {"DATABASE_URL": url, "DATABASE_OWNER_URL": "", "REDIS_URL": redis}
    return {**os.environ, **changes}


@pytest.mark.parametrize("url", [SUPERUSER, servers.postgres.owner_url], ids=["superuser", "owner"])
@pytest.mark.parametrize("module", [[*WEB, "1"], WORKER, BEAT], ids=["web", "worker", "beat"])
def test_a_role_that_could_bypass_is_refused_in_one_line(module: list[str], url: str) -> None:
    done = commands.run(*module, env=environment(url))

    expected = "is a superuser" if url == SUPERUSER else "owns"
    line = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 1
    assert "Atrium does not start: the role " in line
    assert expected in line
    assert "Traceback" not in done.stderr


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[[str, list[str], str], Child]]:
    """Starts a process with this database, and stops it after the test."""
    with ExitStack() as exits:

        def run(name: str, module: list[str], url: str) -> Child:
            child = Child(
                Program(
                    name,
                    [sys.executable, "-m", *module],
                    log=tmp_path / f"{name}.log",
                    environment=environment(url),
                    directory=settings.BASE_DIR,
                )
            )
            child.start()
            exits.callback(child.stop)
            return child

        yield run


def status_of(port: int, path: str) -> int:
    """The status of a page; 0 when nobody answers."""
    try:
        return httpx2.get(f"http://127.0.0.1:{port}{path}", timeout=20).status_code
    except httpx2.ConnectError:
        return 0


def test_processes_that_start_before_the_database_wait_for_it(
    tmp_path: Path, run: Callable[[str, list[str], str], Child]
) -> None:
    late = Postgres(tmp_path / "postgres", tmp_path / "postgres.log", durable=False)
    port = free_port(19_500)
    web = run("web", [*WEB, str(port)], late.url)
    worker = run("worker", WORKER, late.url)
    wait_until(lambda: status_of(port, "/healthz") == 200, what="an answer")
    wait_until(lambda: "no connection to" in worker.log.read_text(), what="a worker that waits")

    assert status_of(port, "/readyz") == 503
    assert status_of(port, "/accounts/login/") == 503
    with late:
        wait_until(lambda: status_of(port, "/readyz") == 200, what="/readyz")
        worker.stop()
        web.stop()


def test_a_role_that_turns_out_to_bypass_is_never_served(
    tmp_path: Path, run: Callable[[str, list[str], str], Child]
) -> None:
    late = Postgres(tmp_path / "postgres", tmp_path / "postgres.log", durable=False)
    port = free_port(19_600)
    web = run("web", [*WEB, str(port)], late.superuser_url)
    wait_until(lambda: status_of(port, "/healthz") == 200, what="an answer")

    with late:
        statuses = [status_of(port, path) for path in ("/readyz", "/", "/admin/")]

        assert statuses == [503, 503, 503]
        assert "is a superuser" in web.log.read_text()
        web.stop()


@pytest.fixture
def unbound(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets this process forget that it is bound, and look at another database or role."""
    monkeypatch.setattr(start.Start, "is_bound", False)

    def change(**parts: str) -> None:
        database = {**settings.DATABASES["default"], **parts}
        monkeypatch.setattr(settings, "DATABASES", {"default": database})

    return change


def test_a_worker_does_not_wait_for_ever(unbound: Callable[..., None]) -> None:
    unbound(PORT="1")

    with pytest.raises(SystemExit, match="no database within 0 seconds"):
        start.wait_until_bound(seconds=0)


def test_make_run_says_it_in_the_terminal(unbound: Callable[..., None]) -> None:
    password = json.loads((servers.postgres.folder / "credentials.json").read_text())
    unbound(USER="postgres", PASSWORD=password["superuser_password"])

    with pytest.raises(EmbeddedError, match="Atrium does not start: the role postgres is a super"):
        refuse_bypass()


def test_a_process_asks_once(unbound: Callable[..., None]) -> None:
    assert start.is_bound()

    unbound(PORT="1")

    assert start.is_bound()
