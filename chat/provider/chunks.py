"""Chunks of a streamed Chat Completion, read from the bytes of the response as they come."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

from chat.errors import ProviderError

_LONGEST_EVENT = 16 * 1024 * 1024  # a million characters take up to 12 MB as JSON escapes
_BLANK_LINE = re.compile(rb"\n\r?\n")
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


def read_pieces(reads: Iterable[bytes]) -> Iterator[Piece]:
    """The chunks in these reads of a response's body, those of one read as one piece.

    Raises ProviderError where the provider tells of a failure, or nothing can be read. A stream
    that ends without a finish reason raises nothing.
    """
    for payloads in _payloads(reads):
        yield from _pieces(payloads)


def _payloads(reads: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The data of each read's whole events, cut only at line feeds, as the SSE standard says.

    (A line decoder for text would also cut at U+2028 inside a JSON string.)
    """
    rest = bytearray()
    for read in reads:
        searched = max(0, len(rest) - 2)  # a blank line may have begun there
        rest += read
        if _BLANK_LINE.search(rest, searched):
            *blocks, end = _lines(rest).split(b"\n\n")
            rest = bytearray(end)
            payloads = [data for block in blocks if (data := _data(block))]
            if payloads:
                yield payloads
        if len(rest) > _LONGEST_EVENT:
            raise ProviderError("malformed")
    if data := _data(_lines(rest)):
        yield [data]


def _lines(read: bytearray) -> bytes:
    return bytes(read).replace(b"\r\n", b"\n")


def _data(block: bytes) -> bytes:
    """The data of one event; empty for comments and for events whose name is not ours to read."""
    if block.startswith(b"data:") and b"\n" not in block:
        return block[5:].strip()
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
            raise body_error(chunk["error"])
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


def body_error(body: dict[str, Any]) -> ProviderError:
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
