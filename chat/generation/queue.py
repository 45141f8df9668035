"""How the queue stands, as one line a minute in the log: what alerts look at."""

import logging
from datetime import datetime, timedelta
from typing import NamedTuple

from django.core.cache import cache
from django.utils import timezone

from chat.models import Generation
from tenants.scope import platform_scope

logger = logging.getLogger("chat.queue")

WINDOW = timedelta(minutes=1)
_TURN_KEY = "chat-queue-told"
# Sweeps come every three seconds: somewhat less than the window, so that no failure falls between.
_TURN_SECONDS = 56


class Queue(NamedTuple):
    """Generations of all tenants, and for how long the oldest that may start has waited.

    `failed` counts those that ended in failure within the last minute.
    """

    oldest_seconds: float
    waiting: int
    running: int
    failed: int


def tell_queue() -> None:
    """Log how the queue stands, once a minute among all workers: message `queue`, the extras."""
    if cache.add(_TURN_KEY, value=True, timeout=_TURN_SECONDS):
        logger.info("queue", extra=look(timezone.now())._asdict())


def look(now: datetime) -> Queue:
    """How the queue stands; one query, over what is alive and what has just failed."""
    with platform_scope("how the queue stands"):
        figures = Generation.objects.queue_figures(now, since=now - WINDOW)
    oldest = figures.pop("oldest_at")
    seconds = max((now - oldest).total_seconds(), 0.0) if oldest else 0.0
    return Queue(oldest_seconds=round(seconds, 1), **figures)
