"""Whatever would let the application's role pass row-level security is found and said."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connections

from portal.checks import check_database_role, find_bypass
from portal.databases import Connection
from tests import servers


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """A superuser's transaction that leaves nothing behind, with a blameless role `shop` in it."""
    database = settings.DATABASES["default"]
    monkeypatch.setattr(settings, "DATABASES", {"default": {**database, "USER": "shop"}})
    with (
        servers.superuser_connection() as connection,
        connection.transaction(force_rollback=True),
    ):
        connection.execute("CREATE ROLE shop LOGIN")
        yield connection


def policy(half: str) -> str:
    """A table with a policy and only one half of what makes it hold."""
    table = "CREATE TABLE till (); CREATE POLICY p ON till; ALTER TABLE till "
    return f"{table} {half} ROW LEVEL SECURITY"


def test_the_role_of_the_tests_is_bound(db: None) -> None:
    assert find_bypass(connections["default"]) == []
    assert check_database_role(databases=["default"]) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("ALTER ROLE shop SUPERUSER", "shop is a superuser"),
        ("ALTER ROLE shop BYPASSRLS", "shop has BYPASSRLS"),
        ("ALTER ROLE shop CREATEROLE", "shop may create roles"),
        ("GRANT postgres TO shop", "shop is a member of postgres, which is a superuser"),
        (
            """CREATE ROLE friend; CREATE ROLE keeper BYPASSRLS;
            GRANT keeper TO friend; GRANT friend TO shop WITH INHERIT FALSE""",
            "shop is a member of keeper, which is a superuser or has BYPASSRLS",
        ),
        ("GRANT atrium_owner TO shop", "objects, among them database atrium, as a member of"),
        ("ALTER DATABASE atrium OWNER TO shop", "shop owns database atrium"),
        ("CREATE TABLE till (); ALTER TABLE till OWNER TO shop", "shop owns table till"),
        (
            "CREATE FUNCTION f() RETURNS int RETURN 1; ALTER FUNCTION f OWNER TO shop",
            "shop owns function f()",
        ),
        ("GRANT TEMP ON DATABASE atrium TO shop", "shop may make temporary tables"),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "shop may make tables in the schema public"),
        ("ALTER ROLE shop SET atrium.platform = 'on'", "from the start"),
        ("ALTER DATABASE atrium SET atrium.platform = 'on'", "from the start"),
        (policy("FORCE"), "table till has policies"),
        (policy("ENABLE"), "table till has policies"),
    ],
)
def test_each_way_past_is_found(admin: Connection, change: str, expected: str) -> None:
    assert find_bypass(admin) == []

    admin.execute(change.encode())

    found = find_bypass(admin)
    assert len(found) == 1
    assert expected in found[0]


def test_a_role_is_asked_about_by_its_name_and_not_by_the_connection(admin: Connection) -> None:
    assert admin.info.user == "postgres"
    assert find_bypass(admin) == []


@pytest.mark.django_db(transaction=True)
def test_without_a_database_the_check_says_so_and_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    database = connections["default"]
    away = {**database.settings_dict, "PORT": "1", "OPTIONS": {}}
    database.close()

    with monkeypatch.context() as patch:
        patch.setattr(database, "settings_dict", away)
        (message,) = check_database_role(databases=["default"])

    assert message.id == "portal.W001"
    assert not message.is_serious()
