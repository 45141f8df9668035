"""Going on with an unfinished reply."""

import uuid

import pytest

from chat import generation as worker
from chat import prompts, services, streams
from chat.errors import AlreadyAnswering, NothingToContinue
from chat.generation.ending import Outcome, finish
from chat.models import Conversation, Deployment, Generation, UsageEntry
from chat.provider import Usage
from tenants.models import Membership
from tests.chat.answers import (
    ask,
    bills,
    claimed_and_silent,
    text_of,
    wait_for_end,
    wait_for_partial_text,
    wait_for_text,
)
from tests.stack import Stack, wait_until
from tests.upstream import Gate, Reply, Upstream, refusals

Status = Generation.Status


def go_on(member: Membership, generation: Generation) -> Generation:
    """Continue this generation's reply."""
    return services.continue_generation(
        actor=member, generation=generation, request_id=uuid.uuid4()
    )


# ── With a real worker and a real provider ─────────────────────────────────────────────────────
def test_a_truncated_reply_is_continued_as_a_sibling_and_only_the_rest_is_billed(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(Reply("One two", finish_reason="length"), Reply(" three", usage=None))
    first = ask(member, "Count")
    wait_for_end(first)

    second = go_on(member, first)
    wait_for_end(second)

    assert (first.status, second.status) == ("truncated", "completed")
    assert text_of(second) == "One two three"
    sent = upstream.requests[1].body["messages"]
    assert [(m["role"], m["content"]) for m in sent[:-1]] == [
        ("user", "Count"),
        ("assistant", "One two"),
    ]
    assert second.reply is not None
    assert first.reply is not None
    assert second.reply.parent == first.reply.parent == first.prompt
    assert Conversation.objects.get().head == second.reply
    entry = UsageEntry.objects.get(generation_id=second.pk)
    assert entry.output_tokens == prompts.estimate_tokens(" three")


def test_followers_of_a_continuation_see_the_earlier_text_from_the_beginning(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.next(
        Reply("One two", finish_reason="length"), Reply(" three four", gate=gate, gate_at=1)
    )
    first = ask(member)
    wait_for_end(first)

    second = go_on(member, first)

    assert services.read_turns(Conversation.objects.get())[-1].text == "One two"
    wait_for_text(second, "One two three")
    wait_for_partial_text(second, "One two three")
    services.stop_generation(generation=second, seen_chars=3)
    wait_for_end(second)
    assert (second.status, second.reply) == ("stopped", None)
    assert bills(second) == ["estimate"]


def test_a_continuation_that_fails_leaves_the_earlier_reply_and_may_be_tried_again(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(Reply("One two", finish_reason="length"), refusals.context_too_long())
    first = ask(member)
    wait_for_end(first)
    failed = go_on(member, first)
    wait_for_end(failed)

    again = go_on(member, failed)
    wait_for_end(again)

    assert (failed.status, failed.error_code) == ("failed", "context_too_long")
    assert text_of(again) == "One twoHello from the model."


def test_a_continuation_is_cut_where_a_reply_may_be_no_longer(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    half = "0123456789" * 60_000
    upstream.always(Reply([half]))
    upstream.next(Reply([half], finish_reason="length"))
    first = ask(member)
    wait_for_end(first)

    second = go_on(member, first)
    wait_for_end(second)

    assert (second.status, len(text_of(second))) == ("truncated", 1_000_000)
    with pytest.raises(NothingToContinue):
        go_on(member, second)


# ── Without ────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def interrupted(conversation: Conversation) -> Generation:
    """bob's answer, of which "One two" is there."""
    generation = claimed_and_silent()
    finish(generation, Outcome(Status.INTERRUPTED, "One two", usage=Usage(7, 2)))
    generation.refresh_from_db()
    return generation


@pytest.fixture
def continued(interrupted: Generation, member: Membership) -> Generation:
    """Its continuation, held by a worker that has fallen silent."""
    go_on(member, interrupted)
    return claimed_and_silent()


def test_continuing_twice_with_one_request_id_is_one_continuation(
    interrupted: Generation, member: Membership
) -> None:
    request_id = uuid.uuid4()

    first, second = (
        services.continue_generation(actor=member, generation=interrupted, request_id=request_id)
        for _ in range(2)
    )

    assert first == second
    with pytest.raises(AlreadyAnswering):
        go_on(member, interrupted)


def test_only_an_unfinished_reply_at_the_end_is_continued(
    interrupted: Generation, member: Membership
) -> None:
    services.send_message(
        actor=member,
        conversation=interrupted.conversation,
        text="Never mind",
        request_id=uuid.uuid4(),
    )
    later = claimed_and_silent()
    finish(later, Outcome(Status.COMPLETED, "All right.", usage=Usage(9, 2)))

    with pytest.raises(NothingToContinue):
        go_on(member, interrupted)
    with pytest.raises(NothingToContinue):
        go_on(member, later)


def test_a_continuation_that_lost_its_worker_before_new_text_waits_again(
    continued: Generation,
) -> None:
    key = streams.stream_key(continued.tenant_id, continued.pk)
    streams.Writer(key, continued.attempt).append("One two")
    wait_until(lambda: streams.read_text(key, continued.attempt) == "One two")

    assert worker.settle().requeued == 1

    continued.refresh_from_db()
    assert (continued.status, continued.partial_text) == ("queued", "One two")


def test_a_continuation_that_lost_its_worker_keeps_and_bills_what_is_new(
    continued: Generation,
) -> None:
    Generation.objects.filter(pk=continued.pk).update(partial_text="One two three")

    worker.settle()

    continued.refresh_from_db()
    assert (continued.status, text_of(continued)) == ("interrupted", "One two three")
    entry = UsageEntry.objects.get(generation_id=continued.pk)
    assert entry.output_tokens == prompts.estimate_tokens(" three")


def test_a_stopped_continuation_never_loses_the_earlier_text(continued: Generation) -> None:
    services.stop_generation(generation=continued, seen_chars=9)

    finish(continued, Outcome(Status.COMPLETED, "One two three", usage=Usage(9, 1)))

    continued.refresh_from_db()
    assert text_of(continued) == "One two t"


def test_a_model_that_has_nothing_to_add_completes_the_reply(continued: Generation) -> None:
    finish(continued, Outcome(Status.COMPLETED, "One two", usage=Usage(9, 0)))

    continued.refresh_from_db()
    assert (continued.status, text_of(continued)) == ("completed", "One two")


def test_what_follows_a_continuation_without_text_follows_the_earlier_reply(
    interrupted: Generation, member: Membership
) -> None:
    services.stop_generation(generation=go_on(member, interrupted))

    turns = services.read_turns(Conversation.objects.get())
    sent = services.send_message(
        actor=member, conversation=interrupted.conversation, text="On", request_id=uuid.uuid4()
    )

    assert [turn.text for turn in turns] == ["Good morning", "One two", ""]
    assert sent.prompt.parent == interrupted.reply
