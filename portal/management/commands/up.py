"""``manage.py up``: everything on one machine, under one supervisor."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.embedded.errors import EmbeddedError
from portal.embedded.options import add_arguments
from portal.embedded.plan import CurrentPlan
from portal.embedded.supervisor import run


class Command(BaseCommand):
    """Start all parts, wait until they are ready, and watch them until Ctrl-C."""

    help = (
        "Run the portal on this machine: PostgreSQL, Valkey and a small demo model (each unless"
        " DATABASE_URL, REDIS_URL, OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT names another), web,"
        " worker and beat. Safe to repeat: data stays in var/. Ctrl-C stops everything."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The flags, which the step before the settings has read already."""
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out the plan that was made before the settings were loaded."""
        del args, options
        if CurrentPlan.plan is None:
            raise CommandError("Run it as `manage.py up`.")
        try:
            run(CurrentPlan.plan)
        except EmbeddedError as error:
            details = "".join(f"\n    {line}" for line in error.details)
            raise CommandError(f"{error}{details}") from error
