"""Acting as the role that owns the tables, for migrations and first steps."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.databases import why


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
