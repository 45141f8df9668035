"""Parts that a test takes away come back after it."""

import os
from collections.abc import Iterator

import pytest
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper

from portal.embedded.postgres import Postgres
from portal.embedded.server import Server
from portal.embedded.valkey import Valkey
from tests import servers
from tests.chat.held import SENTENCE
from tests.stack import Stack, wait_until
from tests.upstream import Gate, Reply, Upstream


def crash(server: Server) -> None:
    """SIGKILL the server."""
    process = server.process
    assert process is not None
    os.kill(process.pid, 9)
    wait_until(lambda: not process.is_running(), what=f"the end of {process.name}")


def forget_connections() -> None:
    """Close this process's database connections, those that its pool keeps included."""
    for database in connections.all():
        database.close()
        if isinstance(database, DatabaseWrapper):
            database.close_pool()


def _is_running(server: Server) -> bool:
    return server.process is not None and server.process.is_running()


@pytest.fixture
def gate(upstream: Upstream) -> Iterator[Gate]:
    """Holds the next answer after three words."""
    gate = Gate()
    upstream.next(Reply(SENTENCE, gate=gate, gate_at=3))
    yield gate
    gate.open()


@pytest.fixture
def valkey(stack: Stack) -> Iterator[Valkey]:
    """The tests' Valkey; a test may end it."""
    yield servers.valkey
    if not _is_running(servers.valkey):
        servers.valkey.restart()


@pytest.fixture
def postgres(stack: Stack) -> Iterator[Postgres]:
    """The tests' PostgreSQL; a test may end it."""
    yield servers.postgres
    if not _is_running(servers.postgres):
        servers.postgres.restart()
    forget_connections()
