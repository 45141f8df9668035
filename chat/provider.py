"""The one door to the OpenAI SDK: streamed Chat Completions, with every failure as a code.

Serves Azure OpenAI's v1 API (`…/openai/v1/`, bearer token of the managed identity or a key) and any
OpenAI-compatible base address. The SDK does authentication and errors; the stream is read from its
raw bytes, which costs half of the SDK's own parsing (docs/decisions/0004-worker-pool.md). A stream
that ends without a finish reason raises nothing, here as in the SDK: the caller must treat it as
interrupted.
"""

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import httpx2
import openai
from django.conf import settings
from django.utils.module_loading import import_string
from openai.types.chat import ChatCompletionMessageParam

from chat.errors import ProviderError
from chat.models import Deployment

logger = logging.getLogger(__name__)

_LONGEST_EVENT = 16 * 1024 * 1024
_LONGEST_CATEGORY = 60
_MOST_TOKENS = 2**31 - 1
_KNOWN_EVENTS = frozenset({b"", b"message", b"error"})


class Usage(NamedTuple):
    """Tokens as the provider counted them."""

    input_tokens: int
    output_tokens: int


class Piece(NamedTuple):
    """What one read from the network brought; finish reason and usage come near the end."""

    text: str = ""
    finish_reason: str = ""
    filter_category: str = ""
    usage: Usage | None = None


def stream_reply(deployment: Deployment, messages: Sequence[Any]) -> Iterator[Piece]:
    """Call the model and yield its reply as it arrives.

    Blocks for at most MODEL_CONNECT_SECONDS to connect and MODEL_FIRST_TOKEN_SECONDS for each
    read. Raises ProviderError. Closing the iterator ends the upstream call.
    """
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
            for payloads in _payloads(response.iter_bytes()):
                yield from _pieces(payloads)
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
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=50),
    )
    timeout = httpx2.Timeout(
        settings.MODEL_FIRST_TOKEN_SECONDS, connect=settings.MODEL_CONNECT_SECONDS
    )
    return openai.OpenAI(
        base_url=base_url, api_key=key, max_retries=0, timeout=timeout, http_client=http_client
    )


def _payloads(reads: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The data of each read's whole events, cut only at line feeds, as the SSE standard says.

    (A line decoder for text would also cut at U+2028 inside a JSON string.)
    """
    rest = b""
    for read in reads:
        *blocks, rest = (rest + read).replace(b"\r\n", b"\n").split(b"\n\n")
        if len(rest) > _LONGEST_EVENT:
            raise ProviderError("malformed")
        payloads = [data for block in blocks if (data := _data(block))]
        if payloads:
            yield payloads
    if data := _data(rest):
        yield [data]


def _data(block: bytes) -> bytes:
    """The data of one event; empty for comments and for events whose name is not ours to read."""
    fields = [line.partition(b":") for line in block.split(b"\n")]
    name = next((value.strip() for field, _, value in fields if field == b"event"), b"")
    if name not in _KNOWN_EVENTS:
        return b""
    return b"\n".join(value.strip() for field, _, value in fields if field == b"data")


def _pieces(payloads: list[bytes]) -> Iterator[Piece]:
    """The chunks of one read as one piece; what came before an error is not lost with it."""
    read: list[Piece] = []
    try:
        for payload in payloads:
            read.append(_read_chunk(payload))  # noqa: PERF401  # kept when a later one fails
    except ProviderError:
        yield _merge(read)
        raise
    yield _merge(read)


def _read_chunk(payload: bytes) -> Piece:
    """One chunk of the protocol; unknown fields and events are ignored."""
    if payload == b"[DONE]":
        return Piece()
    try:
        chunk = json.loads(payload)
        if chunk.get("error"):
            raise _body_error(chunk["error"])
        return _piece(chunk)
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise ProviderError("malformed") from error


def _piece(chunk: dict[str, Any]) -> Piece:
    counted = _usage(chunk.get("usage"))
    choices = chunk.get("choices")
    if not choices:
        return Piece(usage=counted)
    choice = choices[0]
    text = (choice.get("delta") or {}).get("content") or ""
    if not isinstance(text, str):
        raise ProviderError("malformed")
    return Piece(
        text=_storable(text),
        finish_reason=str(choice.get("finish_reason") or ""),
        filter_category=_filtered_category(choice.get("content_filter_results")),
        usage=counted,
    )


def _usage(counts: object) -> Usage | None:
    """The provider's figures, or None where they are none."""
    if not isinstance(counts, dict):
        return None
    figures = [counts.get("prompt_tokens"), counts.get("completion_tokens")]
    if not all(isinstance(figure, int) and 0 <= figure <= _MOST_TOKENS for figure in figures):
        return None
    return Usage(*cast(list[int], figures))


def _storable(text: str) -> str:
    """The text as PostgreSQL and UTF-8 can hold it: without NUL, and without half characters."""
    if text.isascii():
        return text.replace("\0", "")
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return joined.replace("\0", "")


def _merge(every: list[Piece]) -> Piece:
    """Several chunks that came in one read, as one piece."""
    if len(every) == 1:
        return every[0]
    return Piece(
        text="".join(piece.text for piece in every),
        finish_reason=next((p.finish_reason for p in every if p.finish_reason), ""),
        filter_category=next((p.filter_category for p in every if p.filter_category), ""),
        usage=next((piece.usage for piece in every[::-1] if piece.usage), None),
    )


def _filtered_category(results: object) -> str:
    """The first category that Azure's content filter acted on ("" when none)."""
    if not isinstance(results, dict):
        return ""
    acted = (k for k, v in results.items() if isinstance(v, dict) and v.get("filtered"))
    return _storable(str(next(acted, "")))[:_LONGEST_CATEGORY]


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
    known = _body_error(body) if body.get("code") else None
    if known and known.code in {"filtered", "context_too_long"}:
        return known
    default = "unavailable" if error.status_code >= 500 else "malformed"
    code = _STATUS_CODES.get(error.status_code, default)
    return ProviderError(code, retry_after_seconds=_retry_after(error.response.headers))


def _body_error(body: dict[str, Any]) -> ProviderError:
    """An error object of the protocol, in a response's body or in the stream."""
    code = body.get("code")
    if code == "content_filter":
        inner = body.get("innererror") or {}
        category = _filtered_category(inner.get("content_filter_result"))
        return ProviderError("filtered", side="prompt", category=category)
    if code == "context_length_exceeded":
        return ProviderError("context_too_long")
    if code in {"429", 429, "rate_limit_exceeded"}:
        return ProviderError("rate_limited")
    return ProviderError("unavailable")


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
