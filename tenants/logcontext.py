"""What the current line of work is about: added to every log line."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

log_context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039


@contextmanager
def logging_about(**ids: str) -> Iterator[None]:
    """Add these ids (request, tenant, generation, …) to the log lines written inside the block."""
    token = log_context.set({**log_context.get(), **ids})
    try:
        yield
    finally:
        log_context.reset(token)
