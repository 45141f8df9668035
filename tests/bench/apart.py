"""A PostgreSQL and one web process of their own, for a benchmark that fills the database itself."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.embedded.postgres import DATABASE, Postgres
from tests.bench.stack import ROOT, WEB, free_port, listens, process, run


def measure(module: str) -> None:
    """Run this module beside an empty portal: with the superuser's address and the portal's.

    It has the application's settings in its environment, and prints what it measures.
    """
    with (
        tempfile.TemporaryDirectory(prefix="atrium-bench-") as folder,
        Postgres(Path(folder) / "postgres", Path(folder) / "postgres.log") as postgres,
    ):
        port = free_port()
        environment = _environment(postgres, port, folder)
        run([sys.executable, "manage.py", "migrate", "-v", "0"], environment)
        run([sys.executable, "manage.py", "collectstatic", "--no-input", "-v", "0"], environment)
        environment["DATABASE_OWNER_URL"] = ""
        superuser = postgres.superuser_url.rpartition("/")[0] + f"/{DATABASE}"
        with _web(port, Path(folder), environment):
            command = [sys.executable, "-m", module, superuser, f"http://127.0.0.1:{port}"]
            subprocess.run(command, cwd=ROOT, env=environment, check=True)


@contextmanager
def _web(port: int, folder: Path, environment: dict[str, str]) -> Iterator[None]:
    with process("web", [*WEB, str(port)], folder, environment) as child:
        while not listens(port):
            child.raise_if_ended()
            time.sleep(0.02)
        yield


def _environment(postgres: Postgres, port: int, folder: str) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": "only-for-the-benchmark-" + "0" * 50,
        "DEBUG": "false",
        "DATABASE_URL": postgres.url,
        "DATABASE_OWNER_URL": postgres.owner_url,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
        "AZURE_OPENAI_ENDPOINT": "",
        "EMAIL_URL": "consolemail://",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "STATIC_ROOT": f"{folder}/static",
        "LOG_LEVEL": "WARNING",
    }
