"""Calls of the OpenAI SDK: authentication, addresses, and errors as codes.

Serves Azure OpenAI's v1 API (`…/openai/v1/`, bearer token of the managed identity or a key) and any
OpenAI-compatible base address.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
import openai
from django.conf import settings
from django.utils.module_loading import import_string
from openai.types.chat import ChatCompletionMessageParam

from chat.errors import ProviderError
from chat.models import Deployment
from chat.provider.chunks import Piece, body_error, read_pieces
from chat.provider.transport import Transport

logger = logging.getLogger(__name__)


def stream_reply(deployment: Deployment, messages: Sequence[Any]) -> Iterator[Piece]:
    """As chat.provider says."""
    try:
        call = _client(*_endpoint(deployment)).chat.completions.with_streaming_response.create(
            model=deployment.model,
            messages=cast(list[ChatCompletionMessageParam], messages),
            stream=True,
            stream_options={"include_usage": True},
        )
        with call as response:
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise ProviderError("malformed")
            yield from read_pieces(response.iter_bytes())
    except openai.APIStatusError as error:
        raise _status_error(error) from error
    except (openai.APITimeoutError, httpx2.TimeoutException) as error:
        raise ProviderError("timeout") from error
    except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:  # OSError: no token
        raise ProviderError("unavailable") from error


def _endpoint(deployment: Deployment) -> tuple[str, str]:
    """Base address and kind, or ProviderError when no key may be sent there."""
    if deployment.kind == Deployment.Kind.AZURE:
        endpoint = deployment.endpoint or settings.AZURE_OPENAI_ENDPOINT
        base_url = endpoint.rstrip("/").removesuffix("/openai/v1") + "/openai/v1/"
    else:
        endpoint = base_url = deployment.endpoint or settings.OPENAI_BASE_URL
    if urlsplit(endpoint).hostname not in settings.MODEL_HOSTS:
        logger.error("endpoint of deployment %s is not an allowed model host", deployment.name)
        raise ProviderError("unavailable")
    return base_url, deployment.kind


@cache
def _client(base_url: str, kind: str) -> openai.OpenAI:
    """One client per endpoint and process, so that connections are kept open between calls."""
    key: Any = settings.OPENAI_API_KEY or "none"
    if kind == Deployment.Kind.AZURE:
        key = settings.AZURE_OPENAI_API_KEY or import_string(settings.MODEL_TOKEN_PROVIDER)
    http_client = openai.DefaultHttpxClient(
        follow_redirects=False,  # a redirect would carry the prompt to a host nobody allowed
        # A proxy that the environment names comes before it: also ALL_PROXY, which is "all://".
        mounts={"all://*": Transport()},
    )
    timeout = httpx2.Timeout(
        settings.MODEL_FIRST_TOKEN_SECONDS, connect=settings.MODEL_CONNECT_SECONDS
    )
    return openai.OpenAI(
        base_url=base_url, api_key=key, max_retries=0, timeout=timeout, http_client=http_client
    )


_STATUS_CODES = {
    401: "unauthorised",
    403: "unauthorised",
    404: "unavailable",
    408: "timeout",
    413: "context_too_long",
    429: "rate_limited",
}


def _status_error(error: openai.APIStatusError) -> ProviderError:
    body = error.body if isinstance(error.body, dict) else {}
    known = body_error(body) if body.get("code") else None
    if known and known.code in {"filtered", "context_too_long"}:
        return known
    default = "unavailable" if error.status_code >= 500 else "malformed"
    code = _STATUS_CODES.get(error.status_code, default)
    return ProviderError(code, retry_after_seconds=_retry_after(error.response.headers))


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110)."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        value = headers.get("retry-after", "")
        if not value or value.replace(".", "", 1).isdigit():
            return float(value) if value else None
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
