"""A task of the tests' own, for a worker that is started with `--include=tests.faults.probe`."""

from pathlib import Path

from celery import shared_task

from tests.faults.pool import scopes_left


@shared_task(name="tests.probe")
def probe(file: str) -> None:
    """Add a line with the scopes that this worker's connections have while nothing is done."""
    left = scopes_left(most=1)  # two would have probes wait for each other
    with Path(file).open("a", encoding="utf-8") as notes:
        notes.write(f"{left}\n")
