"""A pytest plugin: starts a PostgreSQL and a Valkey of the tests' own before settings are read.

Loaded by `-p tests.servers` (pyproject.toml). Everything lives in one temporary folder and goes
with the run, whatever database the environment of the person names.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from portal.embedded.postgres import Postgres
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

folder = Path(tempfile.mkdtemp(prefix="atrium-tests-"))
postgres = Postgres(folder / "postgres", folder / "postgres.log", durable=False)
valkey = Valkey(folder / "valkey", folder / "valkey.log")


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None]:
    """Before pytest-django reads the settings."""
    postgres.start()
    valkey.start()
    os.environ.update(
        SETTINGS,
        DATABASE_URL=postgres.url,
        REDIS_URL=valkey.url,
        STATIC_ROOT=str(folder / "static"),
    )
    yield


def pytest_unconfigure() -> None:
    """After the last test."""
    valkey.stop()
    postgres.stop()
    shutil.rmtree(folder, ignore_errors=True)
