"""The shape of an entry."""

from typing import NamedTuple

TEMPLATES = (
    "manage.py infra what-if shows what differs from the templates; infra deploy repairs it."
)


class Cause(NamedTuple):
    """The likely cause of a failure, and the steps that find out and repair."""

    likely: str
    steps: tuple[str, ...]


def cause(likely: str, *steps: str) -> Cause:
    """An entry, with each step as an argument."""
    return Cause(likely, steps)
