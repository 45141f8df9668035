"""The wire between the web process and the worker. A task is a ticket: it names no generation."""

import uuid
from contextlib import suppress

from celery import shared_task
from kombu.exceptions import OperationalError

from chat import disclosure, generation, retention, streams

# Tickets that one sweep issues; more waiting rows are taken by the workers that end next. The next
# sweep issues them anew, so that they do not pile up where nobody takes them.
_MOST_TICKETS = 100
_TICKET_SECONDS = 5
# A worker that makes as many titles as it may looks again after this time.
_TITLE_SECONDS = 5


@shared_task
def generate() -> None:
    """Some generation is waiting: run what may start, until nothing may."""
    while generation.run_next():
        pass
    if generation.is_leaving():
        _pass_on()


def _pass_on() -> None:
    """What this worker would have taken, another one shall take at once."""
    with suppress(OperationalError):  # else the sweep issues the ticket
        generate.apply_async(expires=_TICKET_SECONDS)


@shared_task
def generate_title(conversation_id: str) -> None:
    """Have a model name this conversation, now or as soon as this worker has room for it."""
    if not generation.generate_title(uuid.UUID(conversation_id)):
        with suppress(OperationalError):  # else the conversation keeps its first words
            generate_title.apply_async((conversation_id,), countdown=_TITLE_SECONDS)


@shared_task
def settle() -> None:
    """End what lost its worker, issue tickets again for what waits, and tell how much that is."""
    streams.note_worker_heard()
    for _ in range(min(generation.settle().waiting, _MOST_TICKETS)):
        generate.apply_async(expires=_TICKET_SECONDS)
    generation.tell_queue()


@shared_task
def tell_members() -> None:
    """Close what was opened for an investigation and is over, and tell the members."""
    disclosure.end_over()
    disclosure.tell_members()


@shared_task
def delete_expired() -> None:
    """Delete the conversations that their tenants do not keep any longer."""
    retention.delete_expired()
