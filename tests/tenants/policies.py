"""What PostgreSQL's own catalogue says of the tables that hold rows of tenants."""

from collections.abc import Iterable, Iterator
from typing import Any

import psycopg

from tests.tenants.both import tenant_column

# All tables with a column `tenant_id`, whether a model knows them or not.
_TABLES = """
SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
    AND attname = 'tenant_id' AND NOT attisdropped
"""
_SECURITY = """
SELECT relrowsecurity, relforcerowsecurity, EXISTS (
        SELECT FROM pg_policy WHERE polrelid = pg_class.oid AND polname = relname || '_in_scope'
            AND polpermissive AND polcmd = '*' AND polroles = '{0}'
            AND polqual IS NOT NULL AND polwithcheck IS NOT NULL
            AND pg_get_expr(polqual, polrelid) = pg_get_expr(polwithcheck, polrelid)
            AND pg_get_expr(polqual, polrelid) LIKE '%%' || %s || ' = ANY %%atrium.tenants%%'
    ), EXISTS (
        SELECT FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid
        WHERE tgrelid = pg_class.oid AND proname = 'atrium_require_scope' AND tgenabled = 'O'
            AND tgtype = 2 + 4 + 8 + 16 AND tgqual IS NULL AND tgattr = ''
    ), ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = pg_class.oid)
FROM pg_class WHERE oid = to_regclass(%s)
"""  # 2 before, 4 insert, 8 delete, 16 update; without 1 for the statement, and for all columns
_GAPS = (
    "row-level security is not enabled",
    "row-level security is not forced",
    "no policy for reading and writing in scope",
    "no trigger that refuses writing without a scope",
)
_REFERENCES = """
SELECT source.relname, target.relname, ARRAY(
    SELECT ours.attname || '>' || theirs.attname
    FROM unnest(conkey, confkey) AS pair (ours, theirs)
    JOIN pg_attribute AS ours ON ours.attrelid = conrelid AND ours.attnum = pair.ours
    JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = pair.theirs
    ORDER BY ours.attname
), bool_and(convalidated), conname
FROM pg_constraint
JOIN pg_class AS source ON source.oid = conrelid
JOIN pg_class AS target ON target.oid = confrelid
WHERE contype = 'f' GROUP BY pg_constraint.oid, source.relname, target.relname
"""
_NULLABLE = """
SELECT NOT attnotnull FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attname = 'tenant_id'
"""
Connection = psycopg.Connection[Any]


def tables_with_tenant(connection: Connection) -> set[str]:
    """Every table that has a column for the tenant."""
    return {name for (name,) in connection.execute(_TABLES).fetchall()}


def find_gaps(connection: Connection, models: Iterable[str]) -> list[str]:
    """What is missing, table by table; `models` are the tables that Django knows of."""
    tables = sorted({*models, *tables_with_tenant(connection)})
    gaps = [gap for table in tables for gap in _gaps_of_table(connection, table)]
    return [*gaps, *_gaps_of_references(connection, set(tables))]


def references_between(connection: Connection, tables: set[str]) -> list[tuple[str, str, str]]:
    """From one of these tables to another, but the tenant's: table, column and target."""
    found = []
    for source, target, pairs, *_ in connection.execute(_REFERENCES).fetchall():
        columns = [pair.split(">")[0] for pair in pairs if pair.split(">")[0] != "tenant_id"]
        if {source, target} <= tables and columns:
            found.append((source, columns[0], target))
    return sorted(found)


def _gaps_of_table(connection: Connection, table: str) -> Iterator[str]:
    column = tenant_column(table)
    row = connection.execute(_SECURITY.encode(), [column, table]).fetchone()
    if row is None:
        yield f"{table}: there is no such table"
        return
    *is_there, policies = row
    for holds, gap in zip(is_there, _GAPS, strict=True):
        if not holds:
            yield f"{table}: {gap}"
    if extra := set(policies) - {f"{table}_in_scope"}:
        yield f"{table}: other policies, {', '.join(sorted(extra))}"


def _gaps_of_references(connection: Connection, tables: set[str]) -> Iterator[str]:
    for source, target, pairs, is_valid, name in connection.execute(_REFERENCES).fetchall():
        columns = {pair.split(">")[0] for pair in pairs} - {"tenant_id"}
        if not {source, target} <= tables or not columns:
            continue
        if f"tenant_id>{tenant_column(target)}" not in pairs:
            yield f"{source}: {name} may refer to another tenant's row of {target}"
        if not is_valid:
            yield f"{source}: {name} was never checked for the rows that are there"
        if (connection.execute(_NULLABLE.encode(), [source]).fetchone() or [True])[0]:
            yield f"{source}: {name} is not looked at where tenant_id is null"
