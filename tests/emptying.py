"""Emptying the tables after a test whose transactions were real.

Django would TRUNCATE them all and make permissions anew: a fifth of a second each time, and a
deadlock where a process of the portal reads meanwhile. Only what is there is deleted instead, by
the superuser, whom no policy, trigger or foreign key holds up.
"""

from typing import Any

from django.test import TransactionTestCase
from psycopg import sql

from portal.databases import Connection
from tests import servers

# What `migrate` wrote, and no test changes.
KEPT = ["auth_permission", "django_content_type", "django_migrations"]


def empty_tables(*_: Any) -> None:
    """Delete every row that a test has left."""
    with servers.superuser_connection() as connection:
        connection.execute("SET session_replication_role = replica")
        for name in _filled(connection):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))


def _filled(connection: Connection) -> list[str]:
    names = connection.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s)",
        [KEPT],
    )
    is_filled = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    queries = [is_filled.format(sql.Literal(name), sql.Identifier(str(name))) for (name,) in names]
    return [str(name) for (name,) in connection.execute(sql.SQL(" UNION ALL ").join(queries))]


def instead_of_flush() -> None:
    """Have Django's transactional tests empty the tables so."""
    TransactionTestCase._fixture_teardown = empty_tables  # type: ignore[attr-defined]  # no hook
