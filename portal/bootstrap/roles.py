"""The database and its two roles, made over the administrator's connection."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from portal import databases
from portal.bootstrap.plan import BootstrapError, Plan
from portal.databases import Connection, NoConnectionError
from portal.roles import RolesError, create_roles

# Held by whoever bootstraps, in the database `postgres`: one at a time.
_LOCK = 6_282_043
_NO_OWNER = "Set DATABASE_ADMIN_URL and DATABASE_OWNER_URL"


@contextmanager
def administrator() -> Iterator[Connection]:
    """The administrator's connection; nobody else bootstraps meanwhile. Raises BootstrapError."""
    url = settings.DATABASE_ADMIN_SECRET_URL
    if not url or settings.DATABASE_OWNER is None:
        raise BootstrapError(_NO_OWNER)
    with _connect(url) as connection:
        yield connection


def _connect(url: str) -> Connection:
    """His connection, once nobody else holds the lock."""
    try:
        address = databases.read_address("DATABASE_ADMIN_URL", url)
        connection = databases.connect(address, default_database="postgres")
    except (ImproperlyConfigured, NoConnectionError) as error:
        raise BootstrapError(f"DATABASE_ADMIN_URL: {error}") from error
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    except psycopg.Error as error:
        connection.close()
        raise BootstrapError(f"DATABASE_ADMIN_URL: {databases.why(error)}") from error
    return connection


def make_roles(connection: Connection, plan: Plan) -> str:
    """The two roles and the database, as portal/roles.py says."""
    database, owner = settings.DATABASES["default"], settings.DATABASE_OWNER
    if owner is None:
        raise BootstrapError(_NO_OWNER)
    try:
        if plan.application_object_id:
            _make_principal(connection, database["USER"], plan.application_object_id)
        create_roles(
            connection,
            database=database["NAME"],
            owner=owner.user,
            owner_password=owner.password or None,
            application=database["USER"],
            # An identity has no password, and its role is not ours to change.
            application_password=(not plan.application_object_id and database["PASSWORD"]) or None,
        )
    except RolesError as error:
        raise BootstrapError(str(error)) from error
    except psycopg.Error as error:
        reason = error.diag.message_primary or type(error).__name__
        raise BootstrapError(f"The database refuses: {reason}") from error
    return (
        f"Database {database['NAME']}: owner {owner.user}, {database['USER']} for the application"
    )


def _make_principal(connection: Connection, name: str, object_id: str) -> None:
    """A role for an identity of Entra, where there is none.

    https://learn.microsoft.com/azure/postgresql/flexible-server/security-manage-entra-users: the
    function is in the database `postgres`.
    """
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    if known is None:
        connection.execute(
            "SELECT pgaadauth_create_principal_with_oid(%s, %s, 'service', false, false)",
            [name, object_id],
        )
