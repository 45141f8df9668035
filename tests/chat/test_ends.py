"""Every way a model call can end, with a real worker and a real provider over HTTP."""

import json
from typing import NamedTuple

import pytest
from django.utils.text import slugify

from chat.models import Deployment
from tenants.models import Membership
from tests.chat.answers import another, ask, bills, text_of, wait_for_end, wait_for_text
from tests.stack import Stack
from tests.upstream import Fault, Gate, Refusal, Reply, Silence, Upstream, refusals

SENTENCE = "One two three four five six"
THREE_WORDS = "One two three"


class End(NamedTuple):
    """How a run ended, as it is stored."""

    status: str
    error_code: str
    text: str
    bills: list[str]


Script = Reply | Refusal | Silence


def in_one_packet(*texts: str, then: str) -> Refusal:
    """A stream whose bytes arrive together: a chunk for each text, then this payload."""
    chunks = [json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}) for text in texts]
    body = "".join(f"data: {payload}\n\n" for payload in [*chunks, then])
    return Refusal(200, body.encode(), content_type="text/event-stream")


WITH_TEXT: dict[str, tuple[Script, End]] = {
    "whole": (Reply(SENTENCE), End("completed", "", SENTENCE, ["counted"])),
    "azure": (Reply(SENTENCE, azure=True), End("completed", "", SENTENCE, ["counted"])),
    "usage with the finish reason": (
        Reply(SENTENCE, usage_with_finish=True),
        End("completed", "", SENTENCE, ["counted"]),
    ),
    "no usage": (Reply(SENTENCE, usage=None), End("completed", "", SENTENCE, ["estimate"])),
    "length": (
        Reply(SENTENCE, finish_reason="length"),
        End("truncated", "", SENTENCE, ["counted"]),
    ),
    "reply filtered": (
        Reply(SENTENCE, finish_reason="content_filter"),
        End("filtered", "", SENTENCE, ["counted"]),
    ),
    "no finish reason": (
        Reply(SENTENCE, finish_reason=None),
        End("interrupted", "cut_off", SENTENCE, ["estimate"]),
    ),
    "cut": (
        Reply(SENTENCE, fault=Fault.CUT, fault_at=3),
        End("interrupted", "unavailable", THREE_WORDS, ["estimate"]),
    ),
    "malformed": (
        Reply(SENTENCE, fault=Fault.MALFORMED, fault_at=3),
        End("interrupted", "malformed", THREE_WORDS, ["estimate"]),
    ),
    "malformed in the same packet": (
        in_one_packet("One", " two", " three", then='{"choices": [{"del'),
        End("interrupted", "malformed", THREE_WORDS, ["estimate"]),
    ),
    "error in the same packet": (
        in_one_packet("One", " two", " three", then='{"error": {"code": "server_error"}}'),
        End("interrupted", "unavailable", THREE_WORDS, ["estimate"]),
    ),
    "error in the stream": (
        Reply(SENTENCE, fault=Fault.ERROR, fault_at=3),
        End("interrupted", "unavailable", THREE_WORDS, ["estimate"]),
    ),
    "silence in the middle": (
        Reply(SENTENCE, fault=Fault.HANG, fault_at=3),
        End("interrupted", "timeout", THREE_WORDS, ["estimate"]),
    ),
    "noise": (
        Reply(SENTENCE, fault=Fault.NOISE, fault_at=2),
        End("completed", "", SENTENCE, ["counted"]),
    ),
    "every byte alone": (
        Reply("Ünï 日本 🙂", split_bytes=1, fault=Fault.NOISE, fault_at=1),
        End("completed", "", "Ünï 日本 🙂", ["counted"]),
    ),
    "NUL": (Reply(["a\0b", "\0", "c"]), End("completed", "", "abc", ["counted"])),
    "empty": (Reply([]), End("completed", "", "", ["counted"])),
    "reasoning": (
        Reply("42", reasoning=["think", "more"]),
        End("completed", "", "42", ["counted"]),
    ),
}

WITHOUT_TEXT: dict[str, tuple[Script, End]] = {
    "prompt filtered": (refusals.content_filter("violence"), End("filtered", "filtered", "", [])),
    "too long": (refusals.context_too_long(), End("failed", "context_too_long", "", [])),
    "wrong key": (refusals.unauthorised(), End("failed", "unauthorised", "", [])),
    "gateway": (refusals.forbidden_by_gateway(), End("failed", "unauthorised", "", [])),
    "unknown model": (refusals.deployment_not_found(), End("failed", "unavailable", "", [])),
    "broken server": (refusals.server_error(), End("failed", "unavailable", "", [])),
    "overloaded": (refusals.overloaded(), End("failed", "unavailable", "", [])),
    "portal page": (refusals.no_event_stream(), End("failed", "malformed", "", [])),
    "busy": (refusals.rate_limited(), End("failed", "rate_limited", "", [])),
    "busy for an hour": (refusals.rate_limited(3600), End("failed", "rate_limited", "", [])),
    "error at once": (
        Reply(SENTENCE, fault=Fault.ERROR),
        End("failed", "unavailable", "", []),
    ),
    "silent": (Silence(), End("failed", "timeout", "", [])),
    "silent after the head": (
        Reply(SENTENCE, first_token_seconds=60),
        End("failed", "timeout", "", []),
    ),
}


@pytest.mark.parametrize("cases", [WITH_TEXT, WITHOUT_TEXT], ids=["with text", "without text"])
def test_every_end_is_told_as_it_was_and_billed_once(
    stack: Stack,
    member: Membership,
    deployment: Deployment,
    upstream: Upstream,
    cases: dict[str, tuple[Script, End]],
) -> None:
    for name, (script, _) in cases.items():
        upstream.when(f"[{name}]", script)

    # Each with a model of its own, because a provider in trouble is not called for a while.
    models = {name: another(deployment, slugify(name)) for name in cases}
    asked = {name: ask(member, f"[{name}]", models[name]) for name in cases}
    wait_for_end(*asked.values())

    told = {
        name: End(each.status, each.error_code, text_of(each), bills(each))
        for name, each in asked.items()
    }
    assert told == {name: end for name, (_, end) in cases.items()}


def test_a_filter_is_told_with_its_side_and_category(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.when("prompt", refusals.content_filter("self_harm"))
    upstream.when("reply", Reply(SENTENCE, finish_reason="content_filter", azure=True))

    of_prompt, of_reply = ask(member, "prompt"), ask(member, "reply")
    wait_for_end(of_prompt, of_reply)

    assert (of_prompt.filter_side, of_prompt.filter_category) == ("prompt", "self_harm")
    assert (of_reply.filter_side, of_reply.filter_category) == ("reply", "violence")


def test_a_reset_connection_keeps_what_was_shown(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=3, fault=Fault.RESET, fault_at=3))
    generation = ask(member)
    wait_for_text(generation, THREE_WORDS)

    gate.open()
    wait_for_end(generation)

    assert (generation.status, text_of(generation)) == ("interrupted", THREE_WORDS)
    assert bills(generation) == ["estimate"]


def test_half_a_character_from_the_model_harms_nobody(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    finish = '{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}'
    gate = Gate()
    upstream.when("half", in_one_packet("a\ud83d", then=finish))
    upstream.when("neighbour", Reply(SENTENCE, gate=gate, gate_at=3))
    neighbour = ask(member, "neighbour")
    wait_for_text(neighbour, THREE_WORDS)

    half = ask(member, "half")
    wait_for_end(half)
    gate.open()
    wait_for_end(neighbour)

    assert (half.status, text_of(half)) == ("completed", "a\N{REPLACEMENT CHARACTER}")
    assert (neighbour.status, text_of(neighbour)) == ("completed", SENTENCE)


def test_a_model_that_nobody_serves_is_unavailable(
    stack: Stack, member: Membership, deployment: Deployment
) -> None:
    Deployment.objects.update(endpoint="http://127.0.0.1:9/v1")

    generation = ask(member)
    wait_for_end(generation)

    assert (generation.status, generation.error_code) == ("failed", "unavailable")
    assert bills(generation) == []
