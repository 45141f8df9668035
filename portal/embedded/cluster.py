"""The data folder of a PostgreSQL server: created once, checked before every start."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from portal.embedded.errors import EmbeddedError
from portal.embedded.places import Place
from portal.embedded.processes import Program

LEAVE_SECONDS = 15.0
# Sorting and upper/lower case by Unicode code point, the same on every machine.
LOCALE = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")


def create_if_missing(place: Place, password: str, log: Path, *, durable: bool) -> None:
    """Run initdb once. A half-made cluster never gets the name of a whole one."""
    if place.data.exists():
        return
    password_file = place.draft.with_name("initial-password")
    try:
        _write_for(place, password_file, password)
        _run_initdb(place, password_file, log, durable=durable)
    finally:
        password_file.unlink(missing_ok=True)
    place.draft.rename(place.data)


def refuse_unusable(place: Place, say: Callable[[str], None]) -> None:
    """Raise EmbeddedError where this data cannot be served by this program now."""
    try:
        found = (place.data / "PG_VERSION").read_text().strip()
        lock_file = place.data / "postmaster.pid"
        lines = lock_file.read_text().splitlines() if lock_file.exists() else []
    except PermissionError:
        return  # Only its own user may look; the server itself then says what is wrong.
    expected = server_version(place.binaries)
    if found != expected:
        raise EmbeddedError(
            f"{place.data} was made by PostgreSQL {found}, but version {expected} is installed."
            " Install the old version and move the data with pg_dump, or delete the folder."
        )
    if lines and lines[0].strip().isdigit():
        _settle_lock(lock_file, int(lines[0]), place, say)


def server_version(binaries: Path) -> str:
    """The major version of the server program, as ``PG_VERSION`` names it."""
    answer = subprocess.run(
        [str(binaries / "postgres"), "--version"], capture_output=True, text=True, check=True
    )
    return answer.stdout.split()[2].partition(".")[0]


def _settle_lock(lock_file: Path, pid: int, place: Place, say: Callable[[str], None]) -> None:
    """Wait for a server that is stopping; remove a lock whose number now names another program."""
    deadline = time.monotonic() + LEAVE_SECONDS
    while lock_file.exists() and (command := _command(pid)):
        if f"-D {place.data}" not in command:
            say(f"PostgreSQL was killed earlier; removing its stale {lock_file.name}.")
            lock_file.unlink(missing_ok=True)
            return
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"A PostgreSQL server (pid {pid}) already runs on {place.data};"
                f" stop it first: kill -INT {pid}"
            )
        time.sleep(0.1)


def _command(pid: int) -> str:
    """The command line of a living process; empty when there is none."""
    entry = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    answer = subprocess.run(
        ["ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip()


def _write_for(place: Place, path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(text)
    if place.identity is not None:
        os.chown(path, place.identity.uid, place.identity.gid)


def _run_initdb(place: Place, password_file: Path, log: Path, *, durable: bool) -> None:
    command = [str(place.binaries / "initdb"), "-D", str(place.draft), "--username=postgres"]
    command += [f"--pwfile={password_file}", "--auth-host=scram-sha-256", "--auth-local=reject"]
    command += [*LOCALE] if durable else [*LOCALE, "--no-sync"]
    program = Program(
        "initdb",
        command,
        log,
        environment=place.environment,
        identity=place.identity,
        directory=place.draft,
    )
    status, output = program.run()
    if status != 0:
        lines = output.strip().splitlines()
        raise EmbeddedError(f"PostgreSQL's data could not be created, see {log}", lines)
