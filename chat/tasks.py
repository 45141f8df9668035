"""The wire between the web process and the worker. A task is a ticket: it names no generation."""

from celery import shared_task

from chat import disclosure, generation, retention, streams

# Tickets that one sweep issues; more waiting rows are taken by the workers that end next. The next
# sweep issues them anew, so that they do not pile up where nobody takes them.
_MOST_TICKETS = 100
_TICKET_SECONDS = 5


@shared_task
def generate() -> None:
    """Some generation is waiting: run what may start, until nothing may."""
    while generation.run_next():
        pass


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
