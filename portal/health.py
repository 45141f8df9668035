"""`/healthz` and `/readyz`, answered before host checks, sessions and tenancy.

The bodies say true or false for each part, and nothing else about the system.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from chat import streams
from portal import start

logger = logging.getLogger(__name__)


ALIVE_PATH = "/healthz"
READY_PATH = "/readyz"
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def say_alive(send: Send) -> None:
    """`/healthz`, as ASGI: the process answers.

    Needs no thread, because it is alive also when all of them wait for the database.
    """
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"alive": true}'})


class ReadinessMiddleware:
    """`/readyz`: 200 when database, Redis and a worker answer, else 503."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer `/readyz`; pass everything else on."""
        if request.path == READY_PATH:
            return _ready()
        return self.get_response(request)


def _ready() -> JsonResponse:
    worker_heard = streams.is_worker_heard()
    parts = {
        "database": _is_database_up(),
        "redis": worker_heard is not None,
        "worker": bool(worker_heard),
    }
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _is_database_up() -> bool:
    """Whether it answers, and is known to hold this process to row-level security."""
    if not start.is_bound():
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.warning("database does not answer", exc_info=True)
        return False
    return True
