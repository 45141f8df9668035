"""Tickets that the worker issues itself: for what may start now or later, and for titles.

By the tasks' names, because tasks stand above. Never raises: what gets no ticket here gets one from
the sweep, and a conversation without a title keeps its first words.
"""

import logging

from celery import current_app

logger = logging.getLogger(__name__)

# What one call issues at most; whoever takes a ticket goes on until nothing may start.
_MOST = 100
_SECONDS = 5.0
_TITLE_SECONDS = 600.0


def for_waiting(count: int, *, after_seconds: float = 0.0) -> None:
    """So many generations may start, at once or after this time.

    Breaks off at the first ticket that cannot be issued: each may take the broker's whole timeout.
    """
    for _ in range(min(count, _MOST)):
        if not _issue("chat.tasks.generate", after_seconds=after_seconds, valid_seconds=_SECONDS):
            return


def for_title(conversation_id: str, *, after_seconds: float = 0.0) -> None:
    """The conversation may get a title by a model."""
    _issue(
        "chat.tasks.generate_title",
        conversation_id,
        after_seconds=after_seconds,
        valid_seconds=_TITLE_SECONDS,
    )


def _issue(name: str, *args: str, after_seconds: float, valid_seconds: float) -> bool:
    try:
        current_app.send_task(
            name, args=args, countdown=after_seconds, expires=after_seconds + valid_seconds
        )
    except Exception:
        logger.exception("ticket %s not issued", name)
        return False
    return True
