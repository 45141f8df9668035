"""SQL with the application's own credentials that tries to get from one tenant to another."""

from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from tests import servers
from tests.tenants.both import Both, tenant_column, tenant_tables
from tests.tenants.policies import references_between

pytestmark = pytest.mark.django_db

Connection = psycopg.Connection[Any]

# A copy of a row of one's own, as another tenant's.
GIVEN_AWAY = """
INSERT INTO {table} SELECT (jsonb_populate_record(mine, jsonb_build_object(
    'id', gen_random_uuid(), {name}, {tenant}::text
))).* FROM {table} AS mine
"""


def run(connection: Connection, statement: str, table: str = "", tenant: object = None) -> int:
    """Run it with the table's name, its tenant column and this tenant; how many rows there were."""
    column = tenant_column(table)
    query = sql.SQL(statement).format(
        table=sql.Identifier(table or "none"),
        column=sql.Identifier(column),
        name=sql.Literal(column),
        tenant=sql.Literal(str(tenant)),
    )
    return connection.execute(query).rowcount


def value(connection: Connection, statement: str, *values: object) -> Any:
    """The one value of the query's one row; None without a row."""
    row = connection.execute(statement.encode(), values).fetchone()
    return row[0] if row else None


# ── Without a scope ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("table", tenant_tables())
def test_without_a_scope_no_row_is_read(plain: Connection, both: Both, table: str) -> None:
    mine = both.acme.pk

    assert run(plain, "SELECT * FROM {table}", table) == 0
    assert run(plain, "SELECT FROM {table} WHERE {column} = {tenant}", table, mine) == 0
    with plain.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copied:
        assert b"".join(bytes(part) for part in copied) == b""


@pytest.mark.parametrize("table", tenant_tables())
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {table} SELECT * FROM {table}",
        "INSERT INTO {table} DEFAULT VALUES",
        "UPDATE {table} SET {column} = {column}",
        "DELETE FROM {table}",
        "DELETE FROM {table} WHERE {column} = {tenant}",
        "INSERT INTO {table} SELECT * FROM {table} ON CONFLICT DO NOTHING",
        (
            "MERGE INTO {table} AS old USING {table} AS new ON false"
            " WHEN NOT MATCHED THEN INSERT DEFAULT VALUES"
        ),
    ],
)
def test_without_a_scope_nothing_is_written(
    plain: Connection, both: Both, table: str, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match=r"without a scope|permission denied"):
        run(plain, statement, table, both.acme.pk)


@pytest.mark.parametrize("table", tenant_tables())
def test_rows_cannot_be_copied_into_a_table_past_its_policy(
    in_acme: Connection, table: str
) -> None:
    statement = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))

    with (
        pytest.raises((errors.FeatureNotSupported, errors.InsufficientPrivilege)),
        in_acme.cursor().copy(statement) as copied,
    ):
        copied.write_row(["x"])


def test_what_the_planner_noted_of_the_rows_is_not_shown(plain: Connection) -> None:
    with servers.superuser_connection() as superuser:
        superuser.execute("ANALYZE tenants_user, tenants_tenant, chat_message")

    noted = "SELECT count(*) FROM pg_stats WHERE tablename = ANY (%s)"

    assert value(plain, noted, ["tenants_user"]) > 0  # it is asked rightly
    assert value(plain, noted, tenant_tables()) == 0


# ── In the scope of one tenant ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("table", tenant_tables())
def test_in_a_scope_only_its_rows_are_read(in_acme: Connection, both: Both, table: str) -> None:
    assert run(in_acme, "SELECT FROM {table} WHERE {column} = {tenant}", table, both.acme.pk) >= 1
    assert run(in_acme, "SELECT FROM {table} WHERE {column} IS DISTINCT FROM {tenant}",
               table, both.acme.pk) == 0  # fmt: skip
    copied = in_acme.cursor().copy(
        sql.SQL("COPY (SELECT * FROM {}) TO STDOUT").format(sql.Identifier(table))
    )
    with copied as rows:
        assert str(both.globex.pk).encode() not in b"".join(bytes(part) for part in rows)


@pytest.mark.parametrize("table", tenant_tables())
@pytest.mark.parametrize(
    "statement",
    [
        GIVEN_AWAY,
        f"{GIVEN_AWAY} ON CONFLICT DO NOTHING",
        f"{GIVEN_AWAY} RETURNING *",
        "UPDATE {table} SET {column} = {tenant}",
        "UPDATE {table} SET {column} = {tenant} RETURNING *",
        "UPDATE {table} SET {column} = NULL",
    ],
)
def test_in_a_scope_no_row_is_given_to_another_tenant(
    in_acme: Connection, both: Both, table: str, statement: str
) -> None:
    allowed = (errors.InsufficientPrivilege, errors.NotNullViolation)
    with pytest.raises(allowed) as refused:
        run(in_acme, statement, table, both.globex.pk)

    assert "without a scope" not in str(refused.value)
    assert "Globex" not in str(refused.value)


@pytest.mark.parametrize("table", tenant_tables())
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {table} SET {column} = {column} WHERE {column} = {tenant}",
        "DELETE FROM {table} WHERE {column} = {tenant}",
        "DELETE FROM {table} WHERE {column} = {tenant} RETURNING *",
        "SELECT * FROM {table} WHERE {column} = {tenant} FOR UPDATE",
        (
            "WITH gone AS (DELETE FROM {table} WHERE {column} = {tenant} RETURNING *)"
            " SELECT * FROM gone"
        ),
        (
            "MERGE INTO {table} AS old USING (VALUES ({tenant}::uuid)) AS new (id)"
            " ON old.{column} = new.id WHEN MATCHED THEN DELETE"
        ),
    ],
)
def test_in_a_scope_no_row_of_another_tenant_is_touched(
    in_acme: Connection, both: Both, table: str, statement: str
) -> None:
    try:
        assert run(in_acme, statement, table, both.globex.pk) == 0
    except errors.InsufficientPrivilege as refused:  # of what is written once
        assert f"permission denied for table {table}" in str(refused)  # noqa: PT017  # either is well


def test_every_reference_to_another_tenants_row_is_refused(plain: Connection, both: Both) -> None:
    references = references_between(plain, {*tenant_tables()})
    refused = set()
    for table, column, target in references:
        plain.execute("SELECT set_config('atrium.tenants', %s, true)", [str(both.globex.pk)])
        theirs = value(plain, f"SELECT id FROM {target}")
        plain.execute("SELECT set_config('atrium.tenants', %s, true)", [str(both.acme.pk)])
        plain.execute("SET CONSTRAINTS ALL IMMEDIATE")
        update = f"UPDATE {table} SET {column} = %s".encode()
        with pytest.raises(errors.ForeignKeyViolation) as error, plain.transaction():
            plain.execute(update, [theirs])
        assert str(both.globex.pk) not in str(error.value)
        refused.add((table, column, target))

    assert ("chat_message", "conversation_id", "chat_conversation") in refused
    assert refused == {*references}


def test_a_conflict_with_another_tenants_row_overwrites_nothing(
    in_acme: Connection, both: Both
) -> None:
    theirs = _prompt_of(both.globex.pk)
    write = (
        "INSERT INTO chat_libraryprompt (id, tenant_id, title, text, position, created_at)"
        " VALUES (%s, %s, 'Mine', 'x', 0, now()) ON CONFLICT (id)"
    )

    with (
        pytest.raises(errors.InsufficientPrivilege, match="USING expression"),
        in_acme.transaction(),
    ):
        in_acme.execute(f"{write} DO UPDATE SET title = 'Mine'".encode(), [theirs, both.acme.pk])
    in_acme.execute(f"{write} DO NOTHING".encode(), [theirs, both.acme.pk])

    assert value(in_acme, "SELECT count(*) FROM chat_libraryprompt WHERE id = %s", theirs) == 0


def _prompt_of(tenant: object) -> object:
    with servers.superuser_connection() as superuser:
        return value(superuser, "SELECT id FROM chat_libraryprompt WHERE tenant_id = %s", tenant)


def test_a_clash_with_another_tenants_row_shows_nothing_of_it(
    in_acme: Connection, both: Both
) -> None:
    """That the value is taken is told, and no more."""
    mine = both.acme.pk

    with pytest.raises(errors.UniqueViolation) as clash:
        in_acme.execute("UPDATE tenants_tenant SET slug = 'globex' WHERE id = %s", [mine])

    assert clash.value.diag.message_detail is None
    assert str(clash.value).splitlines() == [
        'duplicate key value violates unique constraint "tenants_tenant_slug_key"'
    ]


def test_a_condition_that_fails_is_not_tried_on_another_tenants_rows(
    in_acme: Connection, both: Both
) -> None:
    with pytest.raises(errors.InvalidTextRepresentation) as error:
        in_acme.execute("SELECT FROM tenants_tenant WHERE name::int > 0")

    assert '"Acme"' in str(error.value)


def test_aggregates_and_joins_see_one_tenant(in_acme: Connection) -> None:
    assert value(in_acme, "SELECT string_agg(name, ',') FROM tenants_tenant") == "Acme"
    assert value(in_acme, "SELECT count(DISTINCT tenant_id) FROM chat_message") == 1
    assert value(
        in_acme,
        "WITH every AS MATERIALIZED (SELECT * FROM chat_message) SELECT count(*) FROM every"
        " JOIN chat_conversation ON every.tenant_id <> chat_conversation.tenant_id",
    ) == 0  # fmt: skip
    assert value(
        in_acme,
        "SELECT count(*) FROM tenants_user JOIN tenants_membership ON user_id = tenants_user.id",
    ) == 1  # fmt: skip


def test_a_prepared_statement_follows_the_scope_it_runs_in(plain: Connection, both: Both) -> None:
    plain.execute("PREPARE names AS SELECT name FROM tenants_tenant")
    seen = []
    for scope in [both.acme.pk, both.globex.pk, ""] * 6:  # from the sixth on as a generic plan
        plain.execute("SELECT set_config('atrium.tenants', %s, true)", [str(scope)])
        seen.append(plain.execute("EXECUTE names").fetchall())

    assert seen == [[("Acme",)], [("Globex",)], []] * 6


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE chat_message DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE chat_message NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE chat_message DISABLE TRIGGER ALL",
        "ALTER TABLE chat_message OWNER TO atrium",
        "DROP POLICY chat_message_in_scope ON chat_message",
        "ALTER POLICY chat_message_in_scope ON chat_message USING (true)",
        "CREATE POLICY wide ON chat_message USING (true)",
        "DROP TRIGGER chat_message_needs_scope ON chat_message",
        (
            "CREATE OR REPLACE FUNCTION atrium_require_scope() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NULL; END'"
        ),
        "CREATE VIEW every_message AS SELECT * FROM chat_message",
        "CREATE TEMP TABLE mine AS SELECT * FROM chat_message",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET session_replication_role = replica",
        "SET ROLE atrium_owner",
        "SET SESSION AUTHORIZATION atrium_owner",
        "ALTER ROLE atrium BYPASSRLS",
        "GRANT atrium_owner TO atrium",
        "COPY chat_message TO PROGRAM 'cat'",
        "SET row_security = off; SELECT * FROM chat_message",
    ],
)
def test_the_policies_cannot_be_taken_away_or_passed_by(
    in_acme: Connection, statement: str
) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        in_acme.execute(statement.encode())
