"""A pytest plugin: starts a PostgreSQL and a Valkey of the tests' own before settings are read.

Loaded by `-p tests.servers` (pyproject.toml). Everything lives in one temporary folder and goes
with the run, whatever database the environment of the person names.

The tests use the server's one database, as the application's role; `migrate` makes its tables as
the owner. The tests' own connections see all tenants, unless a test says otherwise; those of the
processes that they start do not.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from portal.databases import Connection
from portal.embedded.postgres import DATABASE, Postgres
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
# Tests with transactions of their own empty the tables after themselves, which the application may
# not. A role of their own brings that right with it, for every table that the owner ever makes.
MAY_EMPTY_TABLES = """
CREATE ROLE atrium_tests NOLOGIN;
GRANT atrium_tests TO atrium;
ALTER DEFAULT PRIVILEGES FOR ROLE atrium_owner IN SCHEMA public
    GRANT TRUNCATE ON TABLES TO atrium_tests;
"""

folder = Path(tempfile.mkdtemp(prefix="atrium-tests-"))
postgres = Postgres(folder / "postgres", folder / "postgres.log", durable=False)
valkey = Valkey(folder / "valkey", folder / "valkey.log")


def owner_connection() -> AbstractContextManager[Connection]:
    """A connection of the role that owns the tables, to the tests' database."""
    return psycopg.connect(postgres.owner_url, autocommit=True)


def superuser_connection() -> AbstractContextManager[Connection]:
    """A connection of the server's superuser, to the tests' database."""
    return psycopg.connect(postgres.superuser_url, dbname=DATABASE, autocommit=True)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Before pytest-django reads the settings, and after it."""
    postgres.start()
    valkey.start()
    with superuser_connection() as connection:
        connection.execute(MAY_EMPTY_TABLES)
    os.environ.update(
        SETTINGS,
        DATABASE_URL=postgres.url,
        DATABASE_OWNER_URL=postgres.owner_url,
        REDIS_URL=valkey.url,
        STATIC_ROOT=str(folder / "static"),
    )
    yield
    database = connections["default"].settings_dict
    database["TEST"]["NAME"] = DATABASE
    database["OPTIONS"]["options"] = "-c atrium.platform=on"


def pytest_make_parametrize_id(val: object) -> str | None:
    """An address of ours is no name: each of several test processes has servers of its own."""
    return "address" if isinstance(val, str) and "://" in val else None


def pytest_configure(config: pytest.Config) -> None:
    """The database is there already, and goes with the server."""
    config.option.reuse_db = True
    config.option.create_db = False


def pytest_unconfigure() -> None:
    """After the last test."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if isinstance(connection, DatabaseWrapper):
            connection.close_pool()
    valkey.stop()
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)
