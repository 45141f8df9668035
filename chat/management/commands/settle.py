"""`manage.py settle`."""

from typing import Any

from django.core.management.base import BaseCommand

from chat import generation, tasks


class Command(BaseCommand):
    """The sweep that beat runs every five seconds, by hand."""

    help = (
        "End or requeue generations whose worker is silent, and issue tickets for waiting ones. "
        "Safe to repeat at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Settle once and say what waits."""
        settled = generation.settle()
        for _ in range(settled.waiting):
            tasks.generate.delay()
        self.stdout.write(
            f"Ended {settled.ended}, requeued {settled.requeued}, waiting {settled.waiting}."
        )
