"""Two tenants, and the application's plain way to their rows."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pytest_django import DjangoDbBlocker

from tests import servers
from tests.emptying import empty_tables
from tests.tenants.both import Both, found_both


@pytest.fixture(scope="module")
def both(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Both]:
    """Acme and Globex, committed; for all tests of a file, which leave them as they are."""
    with django_db_blocker.unblock():
        yield found_both()
        empty_tables()


@pytest.fixture
def plain(both: Both) -> "Iterator[psycopg.Connection[Any]]":
    """A connection with the application's own credentials, as psql has; all it does is undone."""
    with (
        psycopg.connect(servers.postgres.url) as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


@pytest.fixture
def in_acme(plain: "psycopg.Connection[Any]", both: Both) -> "psycopg.Connection[Any]":
    """The same in the scope of Acme."""
    plain.execute("SELECT set_config('atrium.tenants', %s, true)", [str(both.acme.pk)])
    return plain
