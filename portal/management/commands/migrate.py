"""``manage.py migrate``: Django's own, run by the role that owns the tables."""

from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.owner import as_owner
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
