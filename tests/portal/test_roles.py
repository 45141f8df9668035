"""The two roles: what they may, by whom they are made, and what becomes of an older database."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from portal.databases import Connection
from portal.roles import RolesError, create_roles
from tests import servers

Make = Callable[..., None]
REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture(params=["superuser", "administrator"])
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Makes the roles of a shop, as a superuser or as somebody who may only make roles."""
    with servers.superuser_connection() as superuser:
        superuser.execute("CREATE ROLE administrator LOGIN CREATEROLE CREATEDB PASSWORD 'admin'")

        def make(**changes: str) -> None:
            names = {"database": "shop", "owner": "shop_owner", "application": "shop", **changes}
            passwords = {"owner_password": "of the owner", "application_password": "of the shop"}
            with connect(request.param) as connection:
                create_roles(connection, **names, **passwords)

        yield make
        superuser.execute("DROP DATABASE IF EXISTS shop")
        superuser.execute("DROP ROLE IF EXISTS shop, shop_owner, stranger, administrator")


def connect(user: str, database: str = "postgres") -> Connection:
    """A connection of one of the people here."""
    secrets = {"administrator": "admin", "shop": "of the shop", "shop_owner": "of the owner"}
    if user == "superuser":
        return psycopg.connect(servers.postgres.superuser_url, dbname=database, autocommit=True)
    return psycopg.connect(
        servers.postgres.superuser_url,
        dbname=database, user=user, password=secrets.get(user, "strange"), autocommit=True,
    )  # fmt: skip


def refuses(user: str, statement: str) -> bool:
    """Whether this role may not do this in the shop's database."""
    with connect(user, "shop") as connection:
        try:
            connection.execute(statement.encode())
        except REFUSED:
            return True
    return False


def test_the_owner_makes_tables_and_the_application_makes_nothing(make: Make) -> None:
    make()

    assert not refuses("shop_owner", "CREATE TABLE till (coins int)")
    assert refuses("shop", "CREATE TABLE own (id int)")
    assert refuses("shop", "CREATE TEMPORARY TABLE own (id int)")
    assert refuses("shop", "CREATE SCHEMA own")
    assert refuses("shop", "SELECT * FROM till")
    assert refuses("shop", "SET ROLE shop_owner")


def test_nobody_else_connects(make: Make) -> None:
    make()
    with connect("superuser") as superuser:
        superuser.execute("CREATE ROLE stranger LOGIN PASSWORD 'strange'")

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        connect("stranger", "shop")


def test_a_second_run_changes_nothing(make: Make) -> None:
    make()
    with connect("shop_owner", "shop") as owner:
        owner.execute("CREATE TABLE till AS SELECT 1 AS coins")

    make()

    with connect("shop_owner", "shop") as owner:
        assert owner.execute("SELECT coins FROM till").fetchone() == (1,)


@pytest.mark.parametrize("make", ["superuser"], indirect=True)
def test_roles_with_too_many_rights_are_repaired(make: Make) -> None:
    make()
    with connect("superuser") as superuser:
        superuser.execute("ALTER ROLE shop SUPERUSER BYPASSRLS CREATEDB CREATEROLE NOLOGIN")
        superuser.execute("ALTER ROLE shop_owner BYPASSRLS REPLICATION PASSWORD 'forgotten'")
        superuser.execute("GRANT shop_owner TO shop")

    make()

    with connect("shop_owner") as owner:
        attributes = owner.execute(
            "SELECT count(*) FROM pg_roles WHERE rolname IN ('shop', 'shop_owner') AND rolcanlogin"
            " AND NOT (rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole OR rolreplication)"
        ).fetchone()
    assert attributes == (2,)
    assert refuses("shop", "SET ROLE shop_owner")


def test_what_the_application_owned_before_becomes_the_owners(make: Make) -> None:
    make()
    with connect("superuser") as superuser:
        superuser.execute("ALTER DATABASE shop OWNER TO shop")
    with connect("shop", "shop") as application:
        application.execute("CREATE TABLE till AS SELECT 1 AS coins")

    make()

    assert not refuses("shop_owner", "ALTER TABLE till ADD COLUMN notes int")
    assert refuses("shop", "ALTER TABLE till ADD COLUMN more int")
    assert refuses("shop", "CREATE SCHEMA own")


def test_an_administrator_never_takes_rights_away_from_themselves(make: Make) -> None:
    with pytest.raises(RolesError, match="neither of the two roles"):
        make(application="administrator", owner="postgres")


def test_one_role_for_both_is_refused(make: Make) -> None:
    with pytest.raises(RolesError, match="the same role, shop"):
        make(owner="shop")


def test_the_server_never_sees_a_password(make: Make) -> None:
    with connect("superuser") as superuser:
        superuser.execute("ALTER SYSTEM SET log_statement = 'all'")
        superuser.execute("SELECT pg_reload_conf()")
    try:
        make()
        text = servers.postgres.log.read_text()
    finally:
        with connect("superuser") as superuser:
            superuser.execute("ALTER SYSTEM RESET log_statement")
            superuser.execute("SELECT pg_reload_conf()")

    assert 'CREATE ROLE "shop"' in text
    assert "of the shop" not in text
