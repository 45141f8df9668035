"""What the current line of work is about: added to every log line, and to the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Where the request came from, as seen through the trusted gateway. In the audit log only.
client_address: ContextVar[str | None] = ContextVar("client_address", default=None)
log_context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039


@contextmanager
def logging_about(**ids: str) -> Iterator[None]:
    """Add these ids (request, tenant, generation, …) to the log lines written inside the block."""
    token = log_context.set({**log_context.get(), **ids})
    try:
        yield
    finally:
        log_context.reset(token)
