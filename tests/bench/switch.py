"""Row-level security, switched off for comparison in a database of the benchmark's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

_HAS_POLICY = "SELECT DISTINCT polrelid::regclass::text FROM pg_policy ORDER BY 1"


@contextmanager
def without_policies(owner: "psycopg.Connection[Any]") -> Iterator[None]:
    """Row-level security switched off in the whole database; on again at the end."""
    tables = [sql.SQL(name) for (name,) in owner.execute(_HAS_POLICY).fetchall()]
    for table in tables:
        owner.execute(sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY").format(table))
    try:
        yield
    finally:
        for table in tables:
            owner.execute(sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(table))
