"""Every table with rows of tenants has what keeps them apart; a table without is found."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import models

from tenants.models import Tenant
from tests import servers
from tests.tenants.both import tenant_models, tenant_tables
from tests.tenants.policies import find_gaps, references_between, tables_with_tenant

pytestmark = pytest.mark.django_db

PROTECTED = """
CREATE TABLE made_up (
    id uuid PRIMARY KEY, tenant_id uuid NOT NULL REFERENCES tenants_tenant, conversation_id uuid
);
ALTER TABLE made_up ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY made_up_in_scope ON made_up USING ({allowed}) WITH CHECK ({allowed});
CREATE TRIGGER made_up_needs_scope BEFORE INSERT OR UPDATE OR DELETE ON made_up
    FOR EACH STATEMENT EXECUTE FUNCTION atrium_require_scope();
ALTER TABLE made_up ADD CONSTRAINT in_tenant FOREIGN KEY (conversation_id, tenant_id)
    REFERENCES chat_conversation (id, tenant_id);
"""
ALLOWED = "tenant_id = ANY (string_to_array(current_setting('atrium.tenants', true), ',')::uuid[])"


@pytest.fixture
def superuser() -> "Iterator[psycopg.Connection[Any]]":
    """A connection that may change tables; what it does is undone."""
    with (
        servers.superuser_connection() as connection,
        connection.transaction(force_rollback=True),
    ):
        yield connection


def test_every_table_of_tenants_is_kept_apart(superuser: "psycopg.Connection[Any]") -> None:
    assert find_gaps(superuser, tenant_tables()) == []


def test_the_tables_are_all_found(superuser: "psycopg.Connection[Any]") -> None:
    carrying = {Tenant._meta.db_table, *tables_with_tenant(superuser)}

    assert {"chat_message", "chat_conversation", "tenants_membership"} <= carrying
    assert carrying == {*tenant_tables()}  # else a model reaches the tenant without a column of it


def test_every_reference_of_a_model_to_a_row_of_a_tenant_carries_the_tenant(
    superuser: "psycopg.Connection[Any]",
) -> None:
    tables = {*tenant_tables()}
    of_models = {
        (model._meta.db_table, field.column, field.related_model._meta.db_table)
        for model in tenant_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.related_model is not Tenant
        if field.related_model._meta.db_table in tables
    }

    assert of_models
    assert {*references_between(superuser, tables)} >= of_models


def test_a_made_up_table_that_has_everything_is_not_reported(
    superuser: "psycopg.Connection[Any]",
) -> None:
    superuser.execute(PROTECTED.format(allowed=ALLOWED).encode())

    assert "made_up" in tables_with_tenant(superuser)
    assert find_gaps(superuser, tenant_tables()) == []


@pytest.mark.parametrize(
    ("statement", "gap"),
    [
        ("ALTER TABLE made_up DISABLE ROW LEVEL SECURITY", "is not enabled"),
        ("ALTER TABLE made_up NO FORCE ROW LEVEL SECURITY", "is not forced"),
        ("DROP POLICY made_up_in_scope ON made_up", "no policy"),
        ("ALTER POLICY made_up_in_scope ON made_up WITH CHECK (true)", "no policy"),
        ("ALTER POLICY made_up_in_scope ON made_up USING (true)", "no policy"),
        ("CREATE POLICY wide ON made_up USING (true)", "other policies, wide"),
        ("DROP TRIGGER made_up_needs_scope ON made_up", "no trigger"),
        ("ALTER TABLE made_up DISABLE TRIGGER made_up_needs_scope", "no trigger"),
        (
            "ALTER TABLE made_up ADD FOREIGN KEY (conversation_id) REFERENCES chat_conversation",
            "may refer to another tenant's row of chat_conversation",
        ),
        ("ALTER TABLE made_up ALTER tenant_id DROP NOT NULL", "where tenant_id is null"),
    ],
)
def test_what_a_made_up_table_lacks_is_reported(
    superuser: "psycopg.Connection[Any]", statement: str, gap: str
) -> None:
    superuser.execute(PROTECTED.format(allowed=ALLOWED).encode())
    superuser.execute(statement.encode())

    found = find_gaps(superuser, tenant_tables())

    assert len(found) == 1, found
    assert found[0].startswith("made_up: ")
    assert gap in found[0]


def test_a_model_without_a_table_of_its_own_policy_is_reported(
    superuser: "psycopg.Connection[Any]",
) -> None:
    superuser.execute("CREATE TABLE made_up (id uuid)")

    found = find_gaps(superuser, [*tenant_tables(), "made_up"])

    assert len(found) == 4
    assert {gap.split(":")[0] for gap in found} == {"made_up"}


def test_only_the_audit_chain_runs_with_the_rights_of_the_owner(
    superuser: "psycopg.Connection[Any]",
) -> None:
    functions = superuser.execute(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    ).fetchall()

    assert functions == [("atrium_chain_audit_event",)]


def test_no_view_shows_rows_with_the_rights_of_its_owner(
    superuser: "psycopg.Connection[Any]",
) -> None:
    views = superuser.execute(
        "SELECT relname FROM pg_class"
        " WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
        " AND NOT coalesce(reloptions @> '{security_invoker=true}', false)"
    ).fetchall()

    assert views == []


@pytest.mark.parametrize("table", tenant_tables())
def test_the_application_was_given_no_right_to_empty_or_change_a_table(
    superuser: "psycopg.Connection[Any]", table: str
) -> None:
    given = superuser.execute(
        "SELECT acl.privilege_type FROM pg_class, aclexplode(relacl) AS acl"
        " WHERE pg_class.oid = to_regclass(%s) AND grantee IN (0, 'atrium'::regrole)",
        [table],
    ).fetchall()

    assert {right for (right,) in given} <= {"SELECT", "INSERT", "UPDATE", "DELETE"}
