"""``manage.py create_roles``: the owner's and the application's role, and the database."""

import sys
from getpass import getpass
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal import databases
from portal.databases import Account, NoConnectionError
from portal.roles import RolesError, create_roles


class Command(BaseCommand):
    """Make or repair what `migrate` needs, as an administrator of the server."""

    help = (
        "Make the two roles named in DATABASE_OWNER_URL and DATABASE_URL, with their passwords, and"
        " the database, which the owner's role owns. Comes before the first `migrate`. The"
        " administrator's address (postgres://user:password@host/postgres; one who may create roles"
        " and databases) is read from DATABASE_ADMIN_URL, else from standard input. Safe to"
        " repeat: roles and database are repaired, and data stays."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        """Make them, and try them."""
        application, owner = settings.DATABASES["default"], settings.DATABASE_OWNER
        if settings.DATABASE_AUTH == databases.TOKENS:
            raise CommandError(
                "With DATABASE_AUTH=entra roles are identities: `manage.py bootstrap` makes them"
            )
        if owner is None:
            raise CommandError(
                "Set DATABASE_OWNER_URL: the address for the role that is to own the database"
            )
        if not application["USER"]:
            raise CommandError("DATABASE_URL must name a role")
        _create(application, owner)
        for name, account in {
            "DATABASE_URL": Account(application["USER"], application["PASSWORD"]),
            "DATABASE_OWNER_URL": owner,
        }.items():
            _try(name, account, application)
        self.stdout.write(
            f"Ready: database {application['NAME']}, its owner {owner.user},"
            f" and {application['USER']} for the application. Next: manage.py migrate"
        )


def _create(application: dict[str, Any], owner: Account) -> None:
    administrator = _read_administrator()
    try:
        with databases.connect(administrator, default_database="postgres") as connection:
            create_roles(
                connection,
                database=application["NAME"],
                owner=owner.user,
                owner_password=owner.password or None,
                application=application["USER"],
                application_password=application["PASSWORD"] or None,
            )
    except (NoConnectionError, RolesError) as error:
        raise CommandError(f"As administrator: {error}") from error
    except psycopg.Error as error:
        raise CommandError(f"As {administrator['USER']}: {_reason(error)}") from error


def _reason(error: psycopg.Error) -> str:
    """What PostgreSQL says, in one line."""
    parts = (error.diag.message_primary or type(error).__name__, error.diag.message_detail)
    return ". ".join(part.rstrip(".") for part in parts if part)


def _read_administrator() -> dict[str, Any]:
    """Not from an argument, which every user of the machine could read."""
    url = settings.DATABASE_ADMIN_SECRET_URL
    if not url and sys.stdin.isatty():
        url = getpass("Address of an administrator (postgres://user:password@host/postgres): ")
    url = (url or sys.stdin.readline()).strip()
    if not url:
        raise CommandError("Give the administrator in DATABASE_ADMIN_URL or on standard input")
    return databases.read_address("The administrator's address", url)


def _try(name: str, account: Account, database: dict[str, Any]) -> None:
    """Whether the role can log in where the portal looks for it."""
    address = {**databases.plain(database), "USER": account.user, "PASSWORD": account.password}
    try:
        databases.connect(address).close()
    except NoConnectionError as error:
        raise CommandError(f"The roles were made, but with {name} there is {error}") from error
