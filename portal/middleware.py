"""Middleware of the project."""

import ipaddress
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from tenants.logcontext import client_address, logging_about

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Give each request an id, in the log lines and in the `X-Request-Id` header of the answer.

    Also notes where it came from, for the audit log: the address of a trusted gateway has been
    replaced with the one that it names (portal/gateway.py).

    An id sent by the client is taken over when it is 8 to 64 plain characters.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request within its log context."""
        sent = request.headers.get("X-Request-Id", "")
        request_id = sent if _SAFE_ID.fullmatch(sent) else uuid.uuid4().hex
        token = client_address.set(_address(request.META.get("REMOTE_ADDR", "")))
        try:
            with logging_about(request=request_id):
                response = self.get_response(request)
        finally:
            client_address.reset(token)
        response["X-Request-Id"] = request_id
        return response


def _address(text: str) -> str | None:
    """The internet address that this is; a gateway may also forward what is none."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return None
