"""`/healthz` and `/readyz`, answered before host checks, sessions and tenancy."""

import logging
from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from chat import streams

logger = logging.getLogger(__name__)


class HealthMiddleware:
    """`/healthz`: the process answers. `/readyz`: 200 if database, Redis and a worker do, else 503.

    The body names each part with true or false, and nothing else about the system.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the two health paths; pass everything else on."""
        if request.path == "/healthz":
            return JsonResponse({"alive": True})
        if request.path == "/readyz":
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
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.warning("database does not answer", exc_info=True)
        return False
    return True
