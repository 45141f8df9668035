"""``manage.py migrate``: Django's own, run by the role that owns the tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.databases import why
from portal.table_rights import grant_rights


class Command(migrate.Command):
    """Django's command as the owner; then the application's role gets its rights."""

    help = (
        f"{migrate.Command.help} Runs as the role of DATABASE_OWNER_URL, and gives the role of"
        " DATABASE_URL its rights on the tables afterwards. Safe to repeat."
    )

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Check and migrate; with --check or --plan only look, as the application's own role."""
        if options["check_unapplied"] or options["plan"]:
            return super().execute(*args, **options)
        connection = connections[options["database"]]
        with as_owner(connection):
            output = super().execute(*args, **options)
            _grant(connection)
        return output


def _grant(connection: BaseDatabaseWrapper) -> None:
    role = settings.DATABASES[connection.alias]["USER"]
    connection.ensure_connection()
    try:
        grant_rights(connection.connection, application=role)
    except psycopg.errors.UndefinedObject as error:
        raise CommandError(
            f"There is no role {role} at the database: run `manage.py create_roles` first."
        ) from error


@contextmanager
def as_owner(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Let this connection be the owner's, outside the pool; CommandError without an owner."""
    owner, before = settings.DATABASE_OWNER, connection.settings_dict
    if owner is None:
        raise CommandError(
            "Set DATABASE_OWNER_URL: the address of the database for the role that owns its tables"
            " (made by `manage.py create_roles`)."
        )
    options = {name: value for name, value in before["OPTIONS"].items() if name != "pool"}
    if owner.through:
        options["options"] = f"-c role={owner.user}"
    connection.close()
    connection.settings_dict = {
        **before,
        "USER": owner.through or owner.user,
        "PASSWORD": owner.password,
        "OPTIONS": options,
    }
    try:
        connection.ensure_connection()
        yield
    except OperationalError as error:
        if connection.connection is None:
            raise CommandError(f"DATABASE_OWNER_URL: {why(error)}") from error
        raise
    finally:
        connection.close()
        connection.settings_dict = before
