"""The refusals that Azure OpenAI and OpenAI send, as they send them."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.upstream.script import Refusal

SAFE = {"filtered": False, "severity": "safe"}


def _error(http: int, message: str, code: str | None, **fields: Any) -> Refusal:
    error = {"message": message, "type": None, "param": None, "code": code} | fields
    return Refusal(http, {"error": error})


def content_filter(category: str = "violence", severity: str = "medium") -> Refusal:
    """Azure's refusal of a prompt, with the category in `innererror`."""
    results: dict[str, Any] = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), SAFE)
    results["jailbreak"] = {"filtered": False, "detected": False}
    results[category] = {"filtered": True, "severity": severity}
    inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": results}
    message = (
        "The response was filtered due to the prompt triggering Azure OpenAI's content management"
        " policy. Please modify your prompt and retry."
    )
    return _error(400, message, "content_filter", param="prompt", status=400, innererror=inner)


def context_too_long(limit: int = 8192, asked: int = 9000) -> Refusal:
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in"
        f" {asked} tokens. Please reduce the length of the messages."
    )
    kind = "invalid_request_error"
    return _error(400, message, "context_length_exceeded", type=kind, param="messages")


def unauthorised() -> Refusal:
    message = "Access denied due to invalid subscription key or wrong API endpoint."
    return Refusal(401, {"error": {"code": "401", "message": message}})


def forbidden_by_gateway() -> Refusal:
    """A gateway in front of the model answers with a page of HTML."""
    page = (
        b"<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"
    )
    return Refusal(403, page, content_type="text/html")


def deployment_not_found() -> Refusal:
    message = "The API deployment for this resource does not exist."
    return Refusal(404, {"error": {"code": "DeploymentNotFound", "message": message}})


def rate_limited(retry_after: int | None = None, *, as_date: bool = False) -> Refusal:
    """429; `retry_after` in seconds goes into Retry-After, as a number or as an HTTP date."""
    message = "Requests have exceeded the token rate limit of your current pricing tier."
    refusal = _error(429, message, "429", type="rate_limit_error")
    return Refusal(refusal.status, refusal.body, _retry_after(retry_after, as_date=as_date))


def overloaded(retry_after: int | None = None) -> Refusal:
    refusal = _error(503, "The engine is currently overloaded, please try again later.", None)
    return Refusal(refusal.status, refusal.body, _retry_after(retry_after, as_date=False))


def server_error() -> Refusal:
    return _error(500, "The server had an error while processing your request.", None)


def no_event_stream(body: bytes = b"<html><body>Sign in to the proxy</body></html>") -> Refusal:
    """Status 200 with a body that is no event stream, as captive portals send it."""
    return Refusal(200, body, content_type="text/html")


def plain(status: int, **body: Any) -> Refusal:
    return Refusal(status, json.dumps(body).encode())


def _retry_after(seconds: int | None, *, as_date: bool) -> dict[str, str]:
    if seconds is None:
        return {}
    if as_date:
        when = datetime.now(UTC) + timedelta(seconds=seconds)
        return {"Retry-After": format_datetime(when, usegmt=True)}
    return {"Retry-After": str(seconds)}
