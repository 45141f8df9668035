"""Turns a reply into timed pieces of an event stream."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.upstream.log import Request
from tests.upstream.script import Fault, Gate, Reply, Usage
from tests.upstream.stamp import STAMP

CREATED = 1_700_000_000
FILTER_SAFE = {
    name: {"filtered": False, "severity": "safe"}
    for name in ("hate", "self_harm", "sexual", "violence")
}
NOISE = (
    b": a comment\n\n"
    b"event: ping\ndata: \n\n"
    b'event: ping\ndata: {"type":"ping"}\n\n'
    b"id: 7\nretry: 100\n\n"
    b'data: {"id":"x","choices":[],"novel":{"a":[1]}}\n\n'
)


@dataclass(slots=True)
class Step:
    """Send `data` at `at` seconds after the request; then act on `fault` or wait for `gate`."""

    at: float
    data: bytes = b""
    text: str = ""
    tokens: int = 0
    fault: Fault | None = None
    gate: Gate | None = None


def steps(reply: Reply, request: Request) -> Iterator[Step]:
    """The reply as a stream, each step at its own absolute time, so that no delay adds up."""
    model = str(request.body.get("model", "model"))
    if reply.azure:
        yield Step(0.0, _azure_first(model))
    yield from _opening(reply, model)
    pieces = [(piece, "reasoning_content") for piece in reply.reasoning]
    pieces += [(piece, "content") for piece in reply.pieces]
    for number, (piece, name) in enumerate(pieces):
        at = token_time(reply, number)
        yield from _interruptions(reply, number, at)
        yield Step(at, _chunk(model, piece, name), piece if name == "content" else "", 1)
    at = token_time(reply, len(pieces))
    yield from _interruptions(reply, len(pieces), at)
    yield from _closing(reply, request, model, at)


def token_time(reply: Reply, number: int) -> float:
    pace = number / reply.tokens_per_second if reply.tokens_per_second else 0.0
    return reply.first_token_seconds + pace


def _opening(reply: Reply, model: str) -> Iterator[Step]:
    at = token_time(reply, 0)
    if not (reply.fault is Fault.HANG and reply.fault_at == 0):
        yield Step(at, _event(model, [_choice({"role": "assistant", "content": ""})]))


def _interruptions(reply: Reply, number: int, at: float) -> Iterator[Step]:
    if reply.gate is not None and reply.gate_at == number:
        yield Step(at, gate=reply.gate)
    if reply.fault is None or reply.fault_at != number:
        return
    if reply.fault is Fault.MALFORMED:
        yield Step(at, b'data: {"id":"chatcmpl-1","choices":[{"del\n\n')
    elif reply.fault is Fault.NOISE:
        yield Step(at, NOISE)
    elif reply.fault is Fault.ERROR:
        error = {"message": "The server had an error.", "type": "server_error", "code": None}
        yield Step(at, _data({"error": error}), fault=Fault.ERROR)
    else:
        yield Step(at, fault=reply.fault)


def _closing(reply: Reply, request: Request, model: str, at: float) -> Iterator[Step]:
    if reply.finish_reason is None:
        return
    wanted = bool((request.body.get("stream_options") or {}).get("include_usage"))
    usage = report_usage(reply, request) if wanted else None
    inline = usage if reply.usage_with_finish else None
    yield Step(at, _event(model, [_last_choice(reply.finish_reason)], inline))
    if usage is not None and inline is None:
        yield Step(at, _event(model, [], usage))
    yield Step(at, b"data: [DONE]\n\n")


def report_usage(reply: Reply, request: Request) -> dict[str, Any] | None:
    """The usage field, noted in the log as reported."""
    if reply.usage is None:
        return None
    counted = Usage(request.input_tokens, request.output_tokens)
    request.reported = reply.usage if isinstance(reply.usage, Usage) else counted
    tokens_in, tokens_out = request.reported.input_tokens, request.reported.output_tokens
    return {
        "prompt_tokens": tokens_in,
        "completion_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": len(reply.reasoning)},
    }


def completion(reply: Reply, request: Request) -> bytes:
    """The same reply for a request that asked for no stream."""
    text = "".join(reply.pieces)
    request.output_tokens, request.sent_text = len(reply.pieces), text
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason or "stop"}
    body = _envelope(str(request.body.get("model", "model")), [choice])
    body |= {"object": "chat.completion", "usage": report_usage(reply, request)}
    return json.dumps(body).encode()


@lru_cache(maxsize=4096)
def _chunk(model: str, piece: str, name: str) -> bytes:
    return _event(model, [_choice({name: piece})])


def _azure_first(model: str) -> bytes:
    results = [{"prompt_index": 0, "content_filter_results": FILTER_SAFE}]
    body = _envelope(model, []) | {
        "id": "",
        "created": 0,
        "model": "",
        "prompt_filter_results": results,
    }
    return _data(body)


def _choice(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _last_choice(finish_reason: str) -> dict[str, Any]:
    choice = _choice({}, finish_reason)
    if finish_reason == "content_filter":
        found = {"violence": {"filtered": True, "severity": "medium"}}
        choice["content_filter_results"] = FILTER_SAFE | found
    return choice


def _event(model: str, choices: list[dict[str, Any]], usage: dict[str, Any] | None = None) -> bytes:
    return _data(_envelope(model, choices) | {"usage": usage})


def _envelope(model: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "chatcmpl-upstream",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "system_fingerprint": "fp_upstream",
        "choices": choices,
    }


def _data(body: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def is_stamped(step: Step) -> bool:
    return step.text == STAMP
