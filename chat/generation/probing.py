"""What a run that is its deployment's probe says of the provider, and when."""

import logging

from django.db import DatabaseError, connections
from django.utils import timezone

from chat.generation import tickets
from chat.generation.pausing import note_answer as end_pause
from chat.generation.pausing import release_probe
from chat.models import Generation
from tenants.scope import platform_scope

logger = logging.getLogger(__name__)


def note_answer(generation: Generation) -> None:
    """The provider has answered this run: a pause that it was the probe of is over.

    Never raises: a pause that cannot be ended now gets another probe, after this run.
    """
    if not generation.is_probe:
        return
    try:
        if end_pause(generation):
            tickets.for_waiting(_waiting())
    except DatabaseError:
        logger.warning("pause not ended", exc_info=True)
    finally:
        connections.close_all()


def _waiting() -> int:
    with platform_scope("a pause is over: what may start"):
        return Generation.objects.due(timezone.now()).count()


def give_up(generation: Generation) -> None:
    """The run is over: if it has not told how the provider is, another one may be the probe."""
    if not generation.is_probe:
        return
    try:
        release_probe(generation)
    except DatabaseError:
        logger.warning("probe not released: the sweep does it", exc_info=True)
    finally:
        connections.close_all()
