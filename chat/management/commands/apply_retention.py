"""`manage.py apply_retention`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from chat import retention


class Command(BaseCommand):
    """What beat does every hour, by hand."""

    help = (
        "Delete conversations that are older than their tenant's retention allows; usage entries"
        " stay. Tenants without a retention keep everything. Safe to repeat at any time. Example:"
        " apply_retention --dry-run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How far to go."""
        parser.add_argument("--dry-run", action="store_true", help="say what would go, only")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many went."""
        if options["dry_run"]:
            counts, verb = retention.count_expired(), "would be deleted"
        else:
            counts, verb = retention.delete_expired(), "deleted"
        for slug, count in counts.items():
            self.stdout.write(f"{slug}: {count} {verb}")
        if not counts:
            self.stdout.write("Nothing is older than its tenant keeps it.")
