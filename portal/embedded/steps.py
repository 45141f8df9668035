"""What has to be done between the database's start and the first page: Django's own commands."""

import hashlib
import io
import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO, TypedDict

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connections

from portal.databases import NoConnectionError
from portal.embedded.errors import EmbeddedError
from portal.embedded.processes import open_log
from portal.start import BypassError, ensure_bound

ACCOUNTS = "demo-accounts.json"


class Account(TypedDict):
    """One person of the demo, as ``create_demo`` prints it."""

    email: str
    password: str
    name: str
    role: str
    tenants: list[str]


def refuse_bypass() -> None:
    """Raise EmbeddedError where row-level security would not bind the application's role."""
    try:
        ensure_bound()
    except (BypassError, NoConnectionError) as error:
        raise EmbeddedError(str(error)) from error


def migrate(log: Path) -> None:
    """Bring the database's tables up to date."""
    with _output_to(log, "migrate") as output:
        call_command("migrate", interactive=False, no_color=True, stdout=output, stderr=output)


def needs_static_files(var: Path) -> bool:
    """Whether a style sheet, script or picture has changed since it was last collected."""
    stamp = var / "static.stamp"
    is_there = Path(settings.STATIC_ROOT).is_dir() and stamp.exists()
    return not is_there or stamp.read_text() != _fingerprint()


def collect_static_files(var: Path, log: Path) -> None:
    """Copy and hash what the browser loads."""
    stamp = var / "static.stamp"
    stamp.unlink(missing_ok=True)
    fingerprint = _fingerprint()
    with _output_to(log, "collectstatic") as output:
        call_command(
            "collectstatic",
            interactive=False,
            clear=True,
            stdout=output,
            stderr=output,
            verbosity=0,
        )
    stamp.write_text(fingerprint)


def create_demo(var: Path, log: Path) -> list[Account]:
    """Make the demo tenants unless they are there; return the accounts."""
    answer = io.StringIO()
    with _output_to(log, "create_demo") as output:
        call_command("create_demo", accounts=var / ACCOUNTS, stdout=answer, stderr=output)
    accounts: list[Account] = json.loads(answer.getvalue())["accounts"]
    return accounts


@contextmanager
def _output_to(log: Path, command: str) -> Iterator[TextIO]:
    """What a command prints goes to the log; a failure becomes one line, its traceback a log entry.

    The command's database connections are closed after it.
    """
    with io.TextIOWrapper(open_log(log), encoding="utf-8") as output:
        try:
            with redirect_stdout(output), redirect_stderr(output):
                yield output
        except Exception as error:
            traceback.print_exc(file=output)
            text = " ".join(str(error).split()) or type(error).__name__
            raise EmbeddedError(f"manage.py {command} failed: {text} (see {log})") from error
        finally:
            _close_connections()


def _close_connections() -> None:
    for connection in connections.all(initialized_only=True):
        connection.close()
        close_pool = getattr(connection, "close_pool", None)
        if close_pool is not None:
            close_pool()


def _fingerprint() -> str:
    """Names, sizes and times of all files that would be collected, and the settings for it."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for path, storage in finder.list(None):
            status = Path(storage.path(path)).stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
