"""`manage.py settle`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from kombu.exceptions import OperationalError

from chat import generation, tasks


class Command(BaseCommand):
    """The sweep that beat runs every three seconds, by hand."""

    help = (
        "End or requeue generations whose worker is silent, and issue tickets for waiting ones. "
        "Safe to repeat at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle once and say what waits."""
        settled = generation.settle()
        self.stdout.write(
            f"Ended {settled.ended}, requeued {settled.requeued}, waiting {settled.waiting}."
        )
        try:
            for _ in range(settled.waiting):
                tasks.generate.delay()
        except OperationalError:
            raise CommandError(
                "Redis does not answer: no tickets were issued. What waits is kept and taken up"
                " once Redis is back."
            ) from None
