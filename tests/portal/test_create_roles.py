"""`manage.py create_roles`, as an operator runs it: one clear line, whatever is wrong."""

import os
from collections.abc import Iterator

import pytest

from portal.embedded.ports import free_port
from tests import servers
from tests.commands import manage

ADMIN = servers.postgres.superuser_url
HOST = ADMIN.rpartition("@")[2].partition("/")[0]
SHOP = f"postgres://shop:of-the-shop@{HOST}/shop"
OWNER = f"postgres://shop_owner:of-the-owner@{HOST}/shop"


def run(*arguments: str, admin: str = "", **changes: str) -> tuple[int, str, str]:
    """Exit status, output and errors of a command in the shop's environment."""
    environment = {**os.environ, "DATABASE_URL": SHOP, "DATABASE_OWNER_URL": OWNER, **changes}
    done = manage(*arguments, env=environment, stdin=admin)
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def shop() -> Iterator[None]:
    """Whatever was made for the shop goes."""
    yield
    with servers.superuser_connection() as superuser:
        superuser.execute("DROP DATABASE IF EXISTS shop")
        superuser.execute("DROP ROLE IF EXISTS shop, shop_owner, clerk")


def test_first_steps_with_an_empty_server(shop: None) -> None:
    made = run("create_roles", admin=f"{ADMIN}\n")
    again = run("create_roles", DATABASE_ADMIN_URL=ADMIN)

    assert made[0] == again[0] == 0
    assert made[1].startswith("Ready: database shop, its owner shop_owner, and shop for the")
    assert run("migrate", "--verbosity", "0") == (0, "", "")
    assert run("migrate", "--check", DATABASE_OWNER_URL="")[0] == 0
    assert run("check", "--database", "default")[0] == 0


@pytest.mark.parametrize(
    ("admin", "changes", "expected"),
    [
        ("", {}, "Give the administrator in DATABASE_ADMIN_URL or on standard input"),
        ("mysql://x:s3cret@h/d", {}, "must be a postgres:// address"),
        ("postgres://x:s3cret@h:port/d", {}, "is no valid address"),
        (ADMIN.replace("//postgres:", "//postgres:s3cret"), {}, "password authentication failed"),
        (f"postgres://x:s3cret@127.0.0.1:{free_port(28_700)}/d", {}, "Connection refused"),
        (ADMIN, {"DATABASE_OWNER_URL": ""}, "Set DATABASE_OWNER_URL"),
        (ADMIN, {"DATABASE_URL": f"postgres://{HOST}/shop"}, "DATABASE_URL must name a role"),
        (ADMIN, {"DATABASE_OWNER_URL": SHOP}, "name the same role, shop"),
        (ADMIN, {"DATABASE_OWNER_URL": f"{OWNER}2"}, "the same host, port and database"),
        (ADMIN, {"DATABASE_OWNER_URL": OWNER.replace(HOST, "h")}, "the same host, port and"),
        (ADMIN, {"DATABASE_OWNER_URL": ADMIN + "/../shop"}, "the same host, port and database"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    shop: None, admin: str, changes: dict[str, str], expected: str
) -> None:
    status, _output, errors = run("create_roles", admin=admin, **changes)

    assert status in {1, 2}
    assert expected in errors
    assert len(errors.splitlines()) == 1
    assert "s3cret" not in errors


def test_somebody_who_is_no_administrator_is_refused(shop: None) -> None:
    with servers.superuser_connection() as superuser:
        superuser.execute("CREATE ROLE clerk LOGIN PASSWORD 'of-the-clerk'")

    status, _output, errors = run("create_roles", admin=f"postgres://clerk:of-the-clerk@{HOST}/")

    assert status == 1
    assert errors.startswith("CommandError: As clerk: permission denied to create role.")
    assert len(errors.splitlines()) == 1


def test_it_says_so_where_the_portal_would_look_elsewhere(shop: None) -> None:
    elsewhere = {
        "DATABASE_URL": SHOP.replace(HOST, "127.0.0.1:1"),
        "DATABASE_OWNER_URL": OWNER.replace(HOST, "127.0.0.1:1"),
    }

    status, _output, errors = run("create_roles", admin=ADMIN, **elsewhere)

    assert status == 1
    assert "The roles were made, but with DATABASE_URL there is no connection" in errors
