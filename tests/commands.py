"""Commands of the project in processes of their own, without the time that libraries take to load.

Each process is forked from one that has loaded libraries and nothing of ours: from there on it is
like a new one. It reads its settings from its environment, runs `manage.py` or a module as a
program, and ends with an exit status.
"""

import atexit
import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired

ROOT = Path(__file__).resolve().parent.parent
STREAMS = ("stdin", "stdout", "stderr")
# What every command loads, as far as it can be loaded without our settings.
LIBRARIES = [
    "PIL.Image",
    "celery.schedules",
    "django.contrib.admin",
    "django.contrib.staticfiles.storage",
    "django.core.mail",
    "django.core.management.commands.check",
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.template.defaulttags",
    "django.template.loader_tags",
    "environ",
    "gevent",
    "kombu.transport.redis",
    "psycopg",
    "psycopg_pool",
    "redis.asyncio",
    "whitenoise.storage",
]

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(LIBRARIES)


def manage(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 60
) -> "CompletedProcess[str]":
    """`manage.py` with these arguments, to its end; what `subprocess.run` would tell of it."""
    return run("manage.py", *arguments, env=env, stdin=stdin, timeout=timeout)


def run(
    program: str,
    *arguments: str,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
    timeout: float = 60,
) -> "CompletedProcess[str]":
    """The same for another file, or for a module as with `python -m`."""
    environment = dict(os.environ if env is None else env)
    command = [program, *arguments]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "stdin").write_text(stdin)
        process = _context.Process(target=_run, args=(folder, command, environment))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired(command, timeout)
        output, errors = ((folder / stream).read_text() for stream in STREAMS[1:])
        return CompletedProcess(command, process.exitcode, output, errors)


def _run(folder: Path, command: list[str], environment: dict[str, str]) -> None:
    """In the new process: become what `python` with this command would be."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    _redirect(folder)
    sys.argv = command
    sys.path.insert(0, str(ROOT))
    try:
        if command[0].endswith(".py"):
            runpy.run_path(command[0], run_name="__main__")
        else:
            runpy.run_module(command[0], run_name="__main__", alter_sys=True)
    except Exception:  # noqa: BLE001  # what Python itself does with one
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    finally:
        atexit._run_exitfuncs()


def _redirect(folder: Path) -> None:
    for number, stream in enumerate(STREAMS):
        flags = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
        descriptor = os.open(folder / stream, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", buffering=1, closefd=False)
