"""The model server of the tests: what it promises to send and to remember."""

import json
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam

from tests.upstream import Fault, Gate, Reply, Silence, Upstream, Usage, refusals
from tests.upstream.script import Script
from tests.upstream.stamp import STAMP, ages

TEXT = "Hello, Ärger 東京"
HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": TEXT}]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def client(upstream: Upstream) -> Iterator[openai.OpenAI]:
    key = "secret-key"
    with openai.OpenAI(base_url=upstream.base_url, api_key=key, max_retries=0, timeout=5) as client:
        yield client


def stream(client: openai.OpenAI) -> Any:
    return client.chat.completions.create(
        model="gpt-test",
        messages=HELLO,
        stream=True,
        stream_options={"include_usage": True},
    )


def collect(client: openai.OpenAI) -> tuple[str, str | None, Any]:
    text, finish, usage = "", None, None
    for chunk in stream(client):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
            finish = choice.finish_reason or finish
    return text, finish, usage


def test_a_reply_streams_its_words_and_its_usage(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.says("One two  three.\n")

    text, finish, usage = collect(client)

    request = upstream.requests[0]
    assert (text, finish) == ("One two  three.\n", "stop")
    assert (usage.prompt_tokens, usage.completion_tokens) == (request.input_tokens, 3)
    assert request.reported == Usage(request.input_tokens, 3)
    assert (request.prompt, request.authorization) == (TEXT, "Bearer secret-key")
    assert upstream.wait_until(lambda: request.is_complete)
    assert (request.closed_early, request.sent_text) == (False, text)


def test_rules_come_before_the_queue_and_the_queue_before_the_default(
    upstream: Upstream, client: openai.OpenAI
) -> None:
    upstream.says("default")
    upstream.next(Reply("queued"), Reply("queued too"))
    first = collect(client)[0]
    upstream.when("Ärger", Reply("ruled"))

    assert [first, collect(client)[0]] == ["queued", "ruled"]


def test_tokens_keep_their_pace_without_drift(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.always(Reply([STAMP] * 40, first_token_seconds=0.1, tokens_per_second=100))
    began, late = time.monotonic(), []

    for chunk in stream(client):
        if chunk.choices and chunk.choices[0].delta.content:
            late += ages(chunk.choices[0].delta.content, time.monotonic_ns())

    assert 0.48 < time.monotonic() - began < 1.5
    assert len(late) == 40
    assert sorted(late)[20] < 0.05


def test_without_a_finish_reason_the_stream_just_ends(
    upstream: Upstream, client: openai.OpenAI
) -> None:
    upstream.always(Reply("Half an", finish_reason=None))

    assert collect(client) == ("Half an", None, None)


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_reply_ends_for_the_reason_given(
    upstream: Upstream, client: openai.OpenAI, reason: str
) -> None:
    upstream.always(Reply("Half an", finish_reason=reason, usage=None, azure=True))

    assert collect(client) == ("Half an", reason, None)


def test_usage_can_be_false_and_ride_on_the_last_choice(
    upstream: Upstream, client: openai.OpenAI
) -> None:
    upstream.always(Reply("Hi", usage=Usage(7, 9), usage_with_finish=True))

    usage = collect(client)[2]

    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (7, 9, 16)


@pytest.mark.parametrize("size", [1, 7])
def test_a_body_can_be_split_at_any_byte(
    upstream: Upstream, client: openai.OpenAI, size: int
) -> None:
    upstream.always(Reply("Ärger 東京 🙂", split_bytes=size, usage=None))

    assert collect(client)[0] == "Ärger 東京 🙂"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET])
def test_a_connection_can_break_in_the_middle(
    upstream: Upstream, client: openai.OpenAI, fault: Fault
) -> None:
    upstream.always(Reply("a b c d", tokens_per_second=100, fault=fault, fault_at=2))

    with pytest.raises(openai.APIConnectionError):
        collect(client)

    assert upstream.requests[0].sent_text == "a b"


def test_a_malformed_event_is_no_json(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.always(Reply("a b c", fault=Fault.MALFORMED, fault_at=1))

    with pytest.raises(json.JSONDecodeError):
        collect(client)


def test_an_error_event_ends_the_stream(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.always(Reply("a b c", fault=Fault.ERROR, fault_at=1))

    with pytest.raises(openai.APIError, match="had an error"):
        collect(client)


@pytest.mark.parametrize("script", [Silence(), Reply("a b", fault=Fault.HANG, fault_at=1)])
def test_a_client_that_gives_up_is_noticed(
    upstream: Upstream, client: openai.OpenAI, script: Script
) -> None:
    upstream.always(script)

    with pytest.raises((openai.APITimeoutError, openai.APIConnectionError)):
        collect(client.with_options(timeout=0.2))

    assert upstream.wait_until(lambda: upstream.requests[0].closed_early)


def test_a_gate_holds_a_reply_until_it_is_opened(upstream: Upstream, client: openai.OpenAI) -> None:
    gate, texts = Gate(), []
    upstream.always(Reply("a b c", gate=gate, gate_at=2))

    for chunk in stream(client):
        texts += [choice.delta.content or "" for choice in chunk.choices]
        if "".join(texts) == "a b" and not upstream.requests[0].is_complete:
            gate.open()

    assert "".join(texts) == "a b c"


def test_reasoning_comes_before_the_text(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.always(Reply("answer", reasoning=["let me ", "think"]))

    deltas = [choice.delta for chunk in stream(client) for choice in chunk.choices]

    thoughts = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert thoughts == "let me think"


@pytest.mark.parametrize(
    ("script", "error", "header"),
    [
        (refusals.content_filter("sexual"), openai.BadRequestError, None),
        (refusals.context_too_long(), openai.BadRequestError, None),
        (refusals.unauthorised(), openai.AuthenticationError, None),
        (refusals.forbidden_by_gateway(), openai.PermissionDeniedError, None),
        (refusals.deployment_not_found(), openai.NotFoundError, None),
        (refusals.rate_limited(), openai.RateLimitError, None),
        (refusals.rate_limited(12), openai.RateLimitError, "12"),
        (refusals.server_error(), openai.InternalServerError, None),
        (refusals.overloaded(3), openai.InternalServerError, "3"),
    ],
)
def test_a_refusal_arrives_as_the_sdks_error(
    upstream: Upstream,
    client: openai.OpenAI,
    script: Script,
    error: type[openai.APIStatusError],
    header: str | None,
) -> None:
    upstream.always(script)

    with pytest.raises(error) as caught:
        collect(client)

    assert caught.value.response.headers.get("retry-after") == header


def test_a_body_that_is_no_event_stream_yields_nothing(
    upstream: Upstream, client: openai.OpenAI
) -> None:
    upstream.always(refusals.no_event_stream())

    assert collect(client) == ("", None, None)


def test_ten_megabytes_arrive_whole(upstream: Upstream, client: openai.OpenAI) -> None:
    upstream.always(Reply(["x" * 100_000] * 100))

    assert len(collect(client)[0]) == 10_000_000


def test_azures_path_a_whole_answer_and_the_list_of_models(upstream: Upstream) -> None:
    upstream.says("Not streamed")

    with openai.OpenAI(base_url=upstream.azure_base_url, api_key="k", max_retries=0) as client:
        answer = client.chat.completions.create(
            model="gpt-test",
            messages=HELLO,
        )
        models = [model.id for model in client.models.list()]

    assert (answer.choices[0].message.content, models) == ("Not streamed", ["upstream"])
    assert upstream.requests[0].path == "/openai/v1/chat/completions"
