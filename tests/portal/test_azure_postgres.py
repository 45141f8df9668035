"""PostgreSQL with tokens: one for each new connection, and none is needed by one that is open."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from django.test import override_settings
from pytest_django import DjangoDbBlocker

from portal import databases, start
from portal.postgres.base import DatabaseWrapper
from tests import servers
from tests.cloud.certificates import Authority
from tests.cloud.database_tokens import DatabaseRole
from tests.cloud.fixtures import forget_tokens, identity
from tests.cloud.identity import CLIENT_ID, POSTGRES, PREFIX, Identity
from tests.cloud.tls_server import TlsServer
from tests.cloud.tls_server_relay import relay_to
from tests.stack import wait_until

__all__ = ["forget_tokens", "identity"]

NAME = "id-atrium-app"


@pytest.fixture
def role(
    identity: Identity, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[DatabaseRole]:
    """The application's identity, known to PostgreSQL, whose tokens live for three seconds."""
    role = DatabaseRole(NAME, CLIENT_ID)
    identity.told.append(role.learn)
    identity.life_seconds = 3
    with override_settings(DATABASE_AUTH="entra"), django_db_blocker.unblock():
        yield role


@pytest.fixture
def database(role: DatabaseRole) -> Iterator[DatabaseWrapper]:
    """Django's connection for this role, with a pool of its own."""
    told = databases.application(role.url, pool_size=4, pool_timeout=5, sign_in="entra")
    connection = wrapper("with_pool", told)
    yield connection
    connection.close()
    connection.close_pool()


def wrapper(alias: str, told: dict[str, Any]) -> DatabaseWrapper:
    """A connection as Django would make it."""
    connections.settings[alias] = told
    connections.configure_settings(connections.settings)
    try:
        made = connections.create_connection(alias)
    finally:
        del connections.settings[alias]
    assert isinstance(made, DatabaseWrapper)
    made.inc_thread_sharing()
    return made


def ask(connection: DatabaseWrapper) -> str:
    """Who we are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def cut_all(role: DatabaseRole) -> None:
    """As when PostgreSQL restarts."""
    with servers.superuser_connection() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role.name]
        )


def wait_for_the_end_of(identity: Identity) -> None:
    """Until no token that was issued so far is taken any more."""
    last = identity.issued_for(POSTGRES)[-1]
    wait_until(lambda: not last.is_alive)


def test_postgresql_refuses_an_expired_token(identity: Identity, role: DatabaseRole) -> None:
    databases.connect(databases.read_address("DATABASE_URL", role.url)).close()
    wait_for_the_end_of(identity)

    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(role.url, password=identity.issued[-1].value)


def test_the_pool_goes_on_when_tokens_expire_and_connections_are_lost(
    identity: Identity, role: DatabaseRole, database: DatabaseWrapper
) -> None:
    seen = []
    for _ in range(2):
        seen.append(ask(database))
        database.close()
        wait_for_the_end_of(identity)
        cut_all(role)
    seen.append(ask(database))

    assert seen == [NAME] * 3
    assert len(identity.issued) == 3


def test_an_open_connection_lives_on_when_its_token_expires(
    identity: Identity, database: DatabaseWrapper
) -> None:
    ask(database)
    wait_for_the_end_of(identity)

    assert ask(database) == NAME
    assert len(identity.issued) == 1


def test_without_a_pool_each_connection_has_a_token_too(
    identity: Identity, role: DatabaseRole
) -> None:
    told = databases.application(role.url, pool_size=4, pool_timeout=5, sign_in="entra")
    connection = wrapper("without_pool", databases.plain(told))

    assert ask(connection) == NAME
    connection.close()
    wait_for_the_end_of(identity)

    assert ask(connection) == NAME
    connection.close()


def test_the_check_before_a_start_signs_in_with_a_token(
    role: DatabaseRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = databases.application(role.url, pool_size=4, pool_timeout=5, sign_in="entra")
    monkeypatch.setitem(settings.DATABASES, "default", told)
    monkeypatch.setattr(start.Start, "is_bound", False)

    assert start.is_bound()


def test_whoever_has_a_password_signs_in_with_it(identity: Identity, role: DatabaseRole) -> None:
    databases.connect(databases.read_address("DATABASE_URL", servers.postgres.url)).close()

    assert identity.issued == []


def test_without_a_token_there_is_no_connection_and_one_line_says_why(
    identity: Identity, role: DatabaseRole, database: DatabaseWrapper
) -> None:
    identity.known_clients.clear()
    told = databases.plain(database.settings_dict)

    with pytest.raises(databases.NoConnectionError, match="no identity gives a token") as refused:
        databases.connect(told)
    with pytest.raises(OperationalError, match="no identity gives a token"):
        wrapper("without_pool", told).ensure_connection()

    assert "\n" not in str(refused.value)


def test_no_token_is_shown_when_postgresql_refuses_it(
    identity: Identity, role: DatabaseRole, caplog: pytest.LogCaptureFixture
) -> None:
    identity.told.clear()

    with pytest.raises(databases.NoConnectionError, match="authentication failed") as refused:
        databases.connect(databases.read_address("DATABASE_URL", role.url))

    assert PREFIX not in str(refused.value)
    assert PREFIX not in caplog.text


def test_dbshell_gets_a_token(identity: Identity, database: DatabaseWrapper) -> None:
    _, environment = database.client.settings_to_cmd_args_env(database.settings_dict, [])

    assert environment is not None
    assert identity.is_valid(environment["PGPASSWORD"], POSTGRES)


def test_a_password_in_the_address_is_refused_with_tokens() -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must hold no password") as refused:
        databases.application(
            "postgres://atrium:hunter2@127.0.0.1/atrium",
            pool_size=1,
            pool_timeout=1,
            sign_in="entra",
        )

    assert "hunter2" not in str(refused.value)


def test_the_address_may_say_how_long_to_wait() -> None:
    address = databases.read_address("DATABASE_URL", f"{servers.postgres.url}?connect_timeout=3")

    with databases.connect(address) as connection:
        assert connection.info.get_parameters()["connect_timeout"] == "3"


@pytest.mark.parametrize("name", ["password", "user", "host", "port", "dbname", "autocommit"])
@pytest.mark.parametrize("sign_in", ["password", "entra"])
def test_who_and_where_is_refused_in_the_query(name: str, sign_in: str) -> None:
    address = f"postgres://atrium@127.0.0.1/atrium?{name}=hunter2"

    with pytest.raises(ImproperlyConfigured, match=f"DATABASE_URL must hold no {name}") as refused:
        databases.application(address, pool_size=1, pool_timeout=1, sign_in=sign_in)

    assert "hunter2" not in str(refused.value)


def test_create_roles_leaves_identities_to_bootstrap(role: DatabaseRole) -> None:
    with pytest.raises(CommandError, match=r"manage.py bootstrap"):
        call_command("create_roles")


@pytest.mark.parametrize(
    ("names", "expired", "is_taken"),
    [(["localhost"], False, True), (["127.0.0.1"], False, False), (["localhost"], True, False)],
    ids=["right", "of another name", "expired"],
)
def test_the_certificate_of_the_server_is_checked(
    role: DatabaseRole,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    expired: bool,
    is_taken: bool,
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    certificate = authority.issue(*names, expired=expired)
    with TlsServer(relay_to(servers.postgres.url), certificate, is_postgres=True) as server:
        address = f"postgres://{NAME}@localhost:{server.port}/atrium"
        told = databases.application(
            f"{address}?sslmode=verify-full&sslrootcert=system",
            pool_size=2, pool_timeout=2, sign_in="entra",
        )  # fmt: skip

        if is_taken:
            with databases.connect(databases.plain(told)) as connection:
                assert connection.pgconn.ssl_in_use
        else:
            with pytest.raises(databases.NoConnectionError, match="certificate"):
                databases.connect(databases.plain(told))
