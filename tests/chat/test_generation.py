"""Stops, deletions, limits and bills of answers, with a real worker and a real provider."""

from django.conf import settings

from chat import services
from chat.models import Conversation, Deployment, Generation, UsageEntry
from tenants.models import Membership, Tenant
from tests.chat.answers import (
    ask,
    bills,
    has_ended,
    text_of,
    wait_for_end,
    wait_for_partial_text,
    wait_for_text,
)
from tests.stack import Stack, wait_until
from tests.upstream import Gate, Reply, Upstream

SENTENCE = "One two three four five six"
THREE_WORDS = "One two three"


def test_the_providers_own_counts_are_billed(
    stack: Stack, conversation: Conversation, upstream: Upstream
) -> None:
    generation = conversation.generations.get()

    wait_for_end(generation)

    assert text_of(generation) == "Hello from the model."
    entry = UsageEntry.objects.get(generation_id=generation.pk)
    assert (entry.input_tokens, entry.output_tokens) == (
        upstream.requests[0].input_tokens,
        upstream.requests[0].output_tokens,
    )
    assert entry.cost == generation.deployment.cost(
        input_tokens=entry.input_tokens, output_tokens=entry.output_tokens
    )


def test_a_stop_in_the_queue_calls_no_model(
    stack: Stack, tenant: Tenant, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate))
    Tenant.objects.update(max_running=1)
    first = ask(member, "first")
    upstream.wait_for_requests(1)
    second = ask(member, "second")

    services.stop_generation(generation=second)

    assert has_ended(second)
    assert (second.status, bills(second)) == ("stopped", [])
    gate.open()
    wait_for_end(first)
    assert [request.prompt for request in upstream.requests] == ["first"]


def test_a_stop_before_the_first_token_closes_the_call(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.hangs()
    generation = ask(member)
    request = upstream.wait_for_requests(1)[0]

    services.stop_generation(generation=generation)

    assert upstream.wait_until(lambda: request.closed_early, settings.MODEL_FIRST_TOKEN_SECONDS / 2)
    wait_for_end(generation)
    assert (generation.status, text_of(generation), bills(generation)) == ("stopped", "", [])


def test_a_stop_in_mid_answer_keeps_and_bills_what_was_shown(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply(SENTENCE, gate=Gate(), gate_at=3))
    generation = ask(member)
    wait_for_text(generation, THREE_WORDS)

    services.stop_generation(generation=generation)

    request = upstream.requests[0]
    assert upstream.wait_until(lambda: request.closed_early, settings.MODEL_SILENCE_SECONDS / 2)
    wait_for_end(generation)
    assert (generation.status, text_of(generation)) == ("stopped", THREE_WORDS)
    assert bills(generation) == ["estimate"]


def test_a_conversation_deleted_in_mid_answer_is_billed_and_given_up(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply(SENTENCE, gate=Gate(), gate_at=3))
    generation = ask(member)
    wait_for_text(generation, THREE_WORDS)

    services.delete_conversation(actor=member, conversation=generation.conversation)

    request = upstream.requests[0]
    assert upstream.wait_until(lambda: request.closed_early, settings.MODEL_SILENCE_SECONDS / 2)
    assert bills(generation) == ["estimate"]
    assert not Generation.objects.exists()


def test_a_reply_without_end_is_cut_and_said_to_be(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply(["0123456789abcdef" * 4096] * 160))
    generation = ask(member)

    wait_for_end(generation)

    assert generation.status == "truncated"
    assert len(text_of(generation)) == settings.CHAT_MAX_REPLY_CHARS
    assert bills(generation) == ["estimate"]
    wait_until(lambda: bool(upstream.requests[0].ended_at), what="the end of the call")


def test_heartbeats_store_the_text_that_arrives(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=3))
    generation = ask(member)

    wait_for_partial_text(generation, THREE_WORDS)
    gate.open()
    wait_for_end(generation)

    assert (generation.partial_text, text_of(generation)) == ("", SENTENCE)
