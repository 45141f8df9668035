"""A worker that is told to stop: it takes nothing more, and hands back in time what it holds.

Its runs go on: most answers end by themselves. What is left after CHAT_LEAVE_SECONDS is told to
leave: with text it ends as interrupted, without any it goes back to the queue. A run without text
waits as long as the others, because the provider may have begun: called again elsewhere, it would
work, and be paid, twice.
"""

import logging
import time
from typing import Any

import gevent
from celery.signals import worker_shutting_down
from django.conf import settings

from chat.generation.pulse import pulse

logger = logging.getLogger(__name__)

# For storing the ends after CHAT_LEAVE_SECONDS; a database that is away is not tried again then.
STORE_SECONDS = 5.0


class _Told:
    """When this process was told to stop; 0.0 while it was not."""

    at = 0.0


@worker_shutting_down.connect
def begin(**_: Any) -> None:
    """Take no more generations, and have those that still run leave after CHAT_LEAVE_SECONDS.

    Returns at once; safe to repeat, and in a signal handler.
    """
    if not _Told.at:
        _Told.at = time.monotonic()
        gevent.spawn(_hand_back)


def has_begun() -> bool:
    """Whether this process takes no more generations."""
    return bool(_Told.at)


def is_over() -> bool:
    """Whether the time for storing ends is over too: what is not stored is left to the sweep."""
    return has_begun() and _seconds_left() + STORE_SECONDS < 0


def _seconds_left() -> float:
    return _Told.at + settings.CHAT_LEAVE_SECONDS - time.monotonic()


def _hand_back() -> None:
    _say(f"told to stop: at most {settings.CHAT_LEAVE_SECONDS:.0f} s more for {{}}")
    time.sleep(settings.CHAT_LEAVE_SECONDS)
    _say("time is over for {}")
    while not is_over():  # a claim that was on its way when we were told has become a run since
        pulse().leave()
        time.sleep(settings.CHAT_PULSE_SECONDS)


def _say(text: str) -> None:
    if count := pulse().count:
        logger.info(text.format("1 answer" if count == 1 else f"{count} answers"))
