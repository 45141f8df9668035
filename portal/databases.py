"""PostgreSQL's addresses: what Django is told, the owner's account, and a plain connection."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
from django.core.exceptions import ImproperlyConfigured
from environ import Env

SCHEMES = frozenset({"postgres", "postgresql"})
DEFAULT_PORT = 5432
CONNECT_SECONDS = 5

Connection = psycopg.Connection[tuple[object, ...]]


class NoConnectionError(Exception):
    """PostgreSQL cannot be reached or does not let us in; one line, without any password."""


@dataclass(frozen=True)
class Account:
    """Who logs in at the database."""

    user: str
    password: str = field(repr=False)


def application(url: str, *, pool_size: int, pool_timeout: int) -> dict[str, Any]:
    """What Django is told about the database of DATABASE_URL."""
    database = read_address("DATABASE_URL", url)
    # A connection is tried before it is used: after a restart of PostgreSQL no page fails.
    database["CONN_HEALTH_CHECKS"] = True
    # A view holds a connection only while it queries, so a small pool serves many open streams.
    database["OPTIONS"] = {
        **database.get("OPTIONS", {}),
        # Values travel apart from the statement, so that no text is in a log of PostgreSQL.
        "server_side_binding": True,
        "pool": {"min_size": 1, "max_size": pool_size, "timeout": pool_timeout},
    }
    return database


def owner_account(url: str, database: dict[str, Any]) -> Account | None:
    """The account in DATABASE_OWNER_URL; None where it is empty.

    `database` is that of DATABASE_URL. Raises ImproperlyConfigured where both addresses name the
    same role, or not the same database.
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
    return Account(owner["USER"], owner["PASSWORD"])


def read_address(name: str, url: str) -> dict[str, Any]:
    """The parts of a postgres:// address, as Django names them."""
    if urlsplit(url).scheme not in SCHEMES:
        raise ImproperlyConfigured(
            f"{name} must be a postgres:// address: Atrium runs on PostgreSQL"
        )
    try:
        return dict(Env.db_url_config(url))
    except ValueError:
        raise ImproperlyConfigured(f"{name} is no valid address") from None


def plain(database: dict[str, Any]) -> dict[str, Any]:
    """The same database without what only Django understands."""
    options = database["OPTIONS"]
    kept = {name: options[name] for name in options.keys() - {"pool", "server_side_binding"}}
    return {**database, "OPTIONS": kept}


def connect(address: dict[str, Any], *, default_database: str | None = None) -> Connection:
    """A connection in autocommit mode; raises NoConnectionError with the reason."""
    try:
        return psycopg.connect(
            host=address["HOST"] or None,
            port=address["PORT"] or None,
            dbname=address["NAME"] or default_database,
            user=address["USER"] or None,
            password=address["PASSWORD"] or None,
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
            **address.get("OPTIONS", {}),
        )
    except psycopg.Error as error:
        where = f"{address['HOST']}:{address['PORT'] or DEFAULT_PORT}"
        raise NoConnectionError(f"no connection to {where}: {why(error)}") from error


def why(error: Exception) -> str:
    """Why there is no connection, in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].strip().rpartition("failed: ")[2].replace("FATAL:  ", "")


def _place(database: dict[str, Any]) -> tuple[str, int, str]:
    return database["HOST"], int(database["PORT"] or DEFAULT_PORT), database["NAME"]
