"""A pytest plugin: starts a PostgreSQL and a Valkey of the tests' own before settings are read.

Loaded by `-p tests.servers` (pyproject.toml). Everything lives in one temporary folder and goes
with the run, whatever database the environment of the person names.

Where several processes run tests, the one that starts them makes database and static files ready,
and they copy its data: each has servers of its own.

The tests use the server's one database, as the application's role; `migrate` makes its tables as
the owner. The tests' own connections see all tenants, unless a test says otherwise; those of the
processes that they start do not.
"""

import gc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from pytest_django.plugin import blocking_manager_key

from portal.databases import Connection
from portal.embedded.postgres import DATABASE, Postgres
from portal.embedded.private_files import read_record, write_record
from portal.embedded.valkey import Valkey

# Short limits, so that tests of slow and lost parts end soon.
SETTINGS = {
    "SECRET_KEY": "only-for-tests-" + "0" * 50,
    "DEBUG": "false",
    "PUBLIC_URL": "http://127.0.0.1:8000",
    "ALLOWED_HOSTS": "127.0.0.1,localhost,testserver",
    "EMAIL_URL": "memorymail://",
    "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    "OPENAI_API_KEY": "a-key-of-the-tests",
    "AZURE_OPENAI_ENDPOINT": "http://127.0.0.1:9",
    "AZURE_OPENAI_API_KEY": "an-azure-key-of-the-tests",
    "MODEL_CONNECT_SECONDS": "2",
    "MODEL_FIRST_TOKEN_SECONDS": "6",
    "MODEL_SILENCE_SECONDS": "4",
    "CHAT_PULSE_SECONDS": "0.2",
    "CHAT_HEARTBEAT_LIMIT_SECONDS": "6",
    "LOG_LEVEL": "INFO",
    # Playwright's own event loop runs in the thread of the test, which also asks the database.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
}
# Names the folder of the process that has made database and static files ready.
READY = "ATRIUM_TESTS_READY"


class Relay(Valkey):
    """A Valkey that never waits for a disk; what it has written outlives its own crash."""

    def _configuration(self) -> str:
        return super()._configuration().replace("appendfsync everysec", "appendfsync no")


def _copy_database(ready: Path, postgres: Path) -> None:
    """The server's data and passwords, before a server is made of them on a port of its own."""
    credentials = read_record(ready / "postgres" / "credentials.json")
    del credentials["port"]
    write_record(postgres / "credentials.json", credentials)
    # Root gives the data to another user.
    subprocess.run(["cp", "-a", ready / "postgres" / "data", postgres / "data"], check=True)


folder = Path(tempfile.mkdtemp(prefix="atrium-tests-"))
# What another process has made ready; None where this one does it itself.
ready = Path(os.environ[READY]) if READY in os.environ else None
if ready:
    _copy_database(ready, folder / "postgres")
postgres = Postgres(folder / "postgres", folder / "postgres.log", durable=False)
valkey = Relay(folder / "valkey", folder / "valkey.log")


def owner_connection() -> AbstractContextManager[Connection]:
    """A connection of the role that owns the tables, to the tests' database."""
    return psycopg.connect(postgres.owner_url, autocommit=True)


def superuser_connection() -> AbstractContextManager[Connection]:
    """A connection of the server's superuser, to the tests' database."""
    return psycopg.connect(postgres.superuser_url, dbname=DATABASE, autocommit=True)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Before pytest-django reads the settings, and after it."""
    starts_others = _starts_others(early_config)
    postgres.start()
    if not starts_others:
        valkey.start()
    os.environ.update(
        SETTINGS,
        DATABASE_URL=postgres.url,
        DATABASE_OWNER_URL=postgres.owner_url,
        REDIS_URL=valkey.url,
        STATIC_ROOT=str((ready or folder) / "static"),
    )
    yield
    database = connections["default"].settings_dict
    database["TEST"]["NAME"] = DATABASE
    database["OPTIONS"]["options"] = "-c atrium.platform=on"
    if starts_others:
        _make_ready(early_config)


def _starts_others(config: pytest.Config) -> bool:
    """Whether this process runs no tests itself (pytest-xdist)."""
    count = getattr(config.known_args_namespace, "numprocesses", None)
    return bool(count) and "PYTEST_XDIST_WORKER" not in os.environ


def _make_ready(config: pytest.Config) -> None:
    """Tables and static files, for the processes that run tests."""
    with config.stash[blocking_manager_key].unblock():
        call_command("migrate", verbosity=0)
    collect_static_files()
    close_connections()
    postgres.stop()
    if (postgres.folder / "data").exists():  # it may be where only its own user gets at it
        os.environ[READY] = str(folder)


def collect_static_files() -> None:
    """Pages name static files by their hashed names, as in production."""
    call_command("collectstatic", interactive=False, verbosity=0)


def close_connections() -> None:
    """Close this process's database connections, those that its pool keeps included."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()


def pytest_make_parametrize_id(val: object) -> str | None:
    """An address of ours is no name: each of several test processes has servers of its own."""
    return "address" if isinstance(val, str) and "://" in val else None


def pytest_configure(config: pytest.Config) -> None:
    """The database is there already, and goes with the server."""
    config.option.reuse_db = True
    config.option.create_db = False


def pytest_collection_finish() -> None:
    """What is there by now stays: looking through it for garbage again and again takes time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def pytest_unconfigure() -> None:
    """After the last test."""
    close_connections()
    valkey.stop()
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)
