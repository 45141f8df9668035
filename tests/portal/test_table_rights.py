"""The application's role has the rights that the models ask for on each table, and no others."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection

from chat.models import UsageEntry
from portal.table_rights import EVERYTHING, grant_rights, rights
from tests import servers

PRIVILEGES = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN"
)  # fmt: skip
GIVEN = "SELECT privilege_type FROM information_schema.table_privileges WHERE grantee = 'atrium'"

OPEN = """
SELECT relname FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND has_table_privilege('atrium', oid, 'SELECT, INSERT, UPDATE, DELETE')
    AND NOT (relrowsecurity AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid))
"""
# What belongs to no tenant, and tells of none what it has or does: people and their sessions, the
# models that the platform offers, and what Django keeps of itself.
GLOBAL = {
    "account_emailaddress",
    "account_emailconfirmation",
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "chat_deployment",
    "chat_pause",
    "django_content_type",
    "django_migrations",
    "django_session",
    "portal_cache",
    "tenants_user",
    "tenants_user_groups",
    "tenants_user_user_permissions",
}


def test_every_table_has_exactly_the_rights_in_the_list(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, array_remove(array_agg(CASE"
            " WHEN has_table_privilege(pg_class.oid, privilege) THEN privilege END), NULL)"
            " FROM pg_class, unnest(%s::text[]) AS privilege"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
            " GROUP BY relname",
            [list(PRIVILEGES)],
        )
        found = {name: frozenset(privileges) for name, privileges in cursor.fetchall()}

    assert found == rights()


def test_nothing_more_is_given_to_the_role_itself(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT privilege_type FROM ({GIVEN}) AS given")

        assert {privilege for (privilege,) in cursor.fetchall()} == EVERYTHING


def test_a_model_may_ask_for_less() -> None:
    assert rights()[UsageEntry._meta.db_table] == {"SELECT", "INSERT"}
    assert rights()[Group._meta.db_table] == EVERYTHING
    assert rights()[LogEntry._meta.db_table] == set()
    assert rights()["django_migrations"] == {"SELECT"}


def test_only_tables_without_anything_of_tenants_have_no_policy(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(OPEN)

        assert {name for (name,) in cursor.fetchall()} == GLOBAL


@pytest.mark.parametrize(
    "change",
    [
        "GRANT UPDATE ON chat_usageentry TO atrium",
        "GRANT UPDATE (cost) ON chat_usageentry TO atrium",
        "GRANT DELETE ON chat_usageentry TO PUBLIC",
        "GRANT TRUNCATE, REFERENCES, TRIGGER ON chat_usageentry TO atrium",
        "REVOKE INSERT ON chat_usageentry FROM atrium",
    ],
)
def test_what_differs_from_the_list_is_put_right(db: None, change: str) -> None:
    with servers.owner_connection() as owner, owner.transaction(force_rollback=True):
        assert grant_rights(owner, application="atrium") == []
        owner.execute(change.encode())

        assert grant_rights(owner, application="atrium") == ["chat_usageentry"]

        assert grant_rights(owner, application="atrium") == []


def test_a_table_that_no_model_has_is_closed(db: None) -> None:
    with servers.owner_connection() as owner, owner.transaction(force_rollback=True):
        owner.execute("CREATE TABLE left_over (id int)")
        owner.execute("GRANT SELECT ON left_over TO atrium")

        assert grant_rights(owner, application="atrium") == ["left_over"]

        row = owner.execute("SELECT has_table_privilege('atrium', 'left_over', 'SELECT')")
        assert row.fetchone() == (False,)
