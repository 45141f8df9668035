"""The scope of management commands."""

from typing import Any

from django.core.management.base import BaseCommand

from tenants.scope import platform_scope


class PlatformCommand(BaseCommand):
    """A command about all tenants: it runs in the platform's scope, as one transaction.

    An error, CommandError too, undoes what it has written.
    """

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Check the system and run, in scope."""
        with platform_scope(f"manage.py {type(self).__module__.rpartition('.')[2]}"):
            return super().execute(*args, **options)
