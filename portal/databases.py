"""PostgreSQL's addresses: what Django is told, the owner's account, and a plain connection."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from environ import Env

from portal import environment

SCHEMES = frozenset({"postgres", "postgresql"})
DEFAULT_PORT = 5432
CONNECT_SECONDS = 5
TOKENS = "entra"  # of DATABASE_AUTH
# What an address says before its query, and nothing but there.
_NOT_IN_QUERY = frozenset({"user", "password", "host", "port", "dbname", "autocommit"})

Connection = psycopg.Connection[tuple[object, ...]]


class NoConnectionError(Exception):
    """PostgreSQL cannot be reached or does not let us in; one line, without any password."""


@dataclass(frozen=True)
class Account:
    """Who acts at the database: `user`, logged in as such, or `through` an administrator.

    An administrator with an identity of the cloud takes the owner's role on after logging in: that
    role has no identity of its own.
    """

    user: str
    password: str = field(repr=False)
    through: str = ""


def application(url: str, *, pool_size: int, pool_timeout: int, sign_in: str) -> dict[str, Any]:
    """What Django is told about the database of DATABASE_URL; `sign_in` is DATABASE_AUTH."""
    database = read_address("DATABASE_URL", url)
    if sign_in == TOKENS:
        if database["PASSWORD"]:
            raise ImproperlyConfigured(
                "DATABASE_URL must hold no password: with DATABASE_AUTH=entra it is a token"
            )
        database["ENGINE"] = "portal.postgres"
    # A connection is tried before it is used: after a restart of PostgreSQL no page fails.
    database["CONN_HEALTH_CHECKS"] = True
    # A view holds a connection only while it queries, so a small pool serves many open streams.
    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),
        # Values travel apart from the statement, so that no text is in a log of PostgreSQL.
        "server_side_binding": True,
        # What is asked again and again is planned once for each connection: planning took most of
        # PostgreSQL's time (docs/decisions/0015-speed.md).
        "prepare_threshold": 5,
        "pool": {"min_size": 1, "max_size": pool_size, "timeout": pool_timeout},
    }
    return database


def owner_account(url: str, database: dict[str, Any], *, administrator: str = "") -> Account | None:
    """The account in DATABASE_OWNER_URL; None where it is empty.

    `database` is that of DATABASE_URL; `administrator`, where given, is the address of one who
    acts for the owner. Raises ImproperlyConfigured where both addresses name the same role, or not
    the same database.
    """
    if not url:
        return None
    owner = read_address("DATABASE_OWNER_URL", url)
    if not owner["USER"]:
        raise ImproperlyConfigured("DATABASE_OWNER_URL must name a role")
    if owner["USER"] == database["USER"]:
        raise ImproperlyConfigured(
            f"DATABASE_OWNER_URL and DATABASE_URL name the same role, {owner['USER']}:"
            " the application's role must not be the one that owns the tables"
        )
    if _place(owner) != _place(database):
        raise ImproperlyConfigured(
            "DATABASE_OWNER_URL must name the same host, port and database as DATABASE_URL"
        )
    through = read_address("DATABASE_ADMIN_URL", administrator)["USER"] if administrator else ""
    return Account(owner["USER"], owner["PASSWORD"], through)


def read_address(name: str, url: str) -> dict[str, Any]:
    """The parts of a postgres:// address, as Django names them."""
    parts = environment.split_address(name, url)
    if parts.scheme not in SCHEMES:
        raise ImproperlyConfigured(
            f"{name} must be a postgres:// address: Atrium runs on PostgreSQL"
        )
    environment.refuse_in_query(name, parts, _NOT_IN_QUERY)
    try:
        return dict(Env.db_url_config(url))
    except ValueError:
        raise environment.invalid_address(name) from None


def plain(database: dict[str, Any]) -> dict[str, Any]:
    """The same database without what only Django understands."""
    options = database["OPTIONS"]
    kept = {name: options[name] for name in options.keys() - {"pool", "server_side_binding"}}
    return {**database, "OPTIONS": kept}


def connect(address: dict[str, Any], *, default_database: str | None = None) -> Connection:
    """A connection in autocommit mode; raises NoConnectionError with the reason."""
    options = {"connect_timeout": CONNECT_SECONDS, **address.get("OPTIONS", {})}
    try:
        return psycopg.connect(
            host=address["HOST"] or None,
            port=address["PORT"] or None,
            dbname=address["NAME"] or default_database,
            user=address["USER"] or None,
            password=address["PASSWORD"] or token(),
            autocommit=True,
            **options,
        )
    except psycopg.Error as error:
        where = f"{address['HOST']}:{address['PORT'] or DEFAULT_PORT}"
        raise NoConnectionError(f"no connection to {where}: {why(error)}") from error


def token() -> str | None:
    """What whoever has no password signs in with; None where the database takes no tokens.

    Raises psycopg.OperationalError, as a connection that cannot be made does.
    """
    if settings.DATABASE_AUTH != TOKENS:
        return None
    try:
        return str(import_string(settings.DATABASE_TOKEN_PROVIDER)())
    except OSError as error:
        raise psycopg.OperationalError(str(error)) from error


def why(error: Exception) -> str:
    """Why there is no connection, in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rpartition("failed: ")[2].replace("FATAL:  ", "")


def _place(database: dict[str, Any]) -> tuple[str, str, str]:
    return database["HOST"], str(database["PORT"] or DEFAULT_PORT), database["NAME"]
