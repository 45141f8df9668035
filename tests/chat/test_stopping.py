"""A stop keeps what the person had seen, and bills what had been used."""

import uuid

import pytest

from chat import generation as worker
from chat import prompts, services
from chat.generation.ending import Outcome, finish
from chat.models import Conversation, Deployment, Generation, UsageEntry
from chat.provider import Usage
from tenants.models import Membership
from tests.chat.answers import ask, bills, claimed_and_silent, text_of, wait_for_end, wait_for_text
from tests.stack import Stack
from tests.upstream import Gate, Reply, Upstream

SENTENCE = "Eins zwei drëi 🙂 vier"
ARRIVED = "Eins zwei drëi 🙂"


def test_no_more_is_kept_than_was_seen_and_all_that_arrived_is_billed(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply(SENTENCE, gate=Gate(), gate_at=4))
    cut, whole = ask(member, "cut"), ask(member, "whole")
    wait_for_text(cut, ARRIVED)
    wait_for_text(whole, ARRIVED)

    services.stop_generation(generation=cut, seen_chars=13)
    services.stop_generation(generation=cut, seen_chars=2)
    services.stop_generation(generation=whole, seen_chars=10_000)
    wait_for_end(cut, whole)

    assert (cut.status, text_of(cut)) == ("stopped", "Eins zwei drë")
    assert (whole.status, text_of(whole)) == ("stopped", ARRIVED)
    assert bills(cut) == bills(whole) == ["estimate"]
    all_of_it = prompts.estimate_tokens(ARRIVED)
    assert {entry.output_tokens for entry in UsageEntry.objects.all()} == {all_of_it}


def test_nothing_seen_is_nothing_kept_but_it_is_billed(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply(SENTENCE, gate=Gate(), gate_at=4))
    generation = ask(member)
    wait_for_text(generation, ARRIVED)

    services.stop_generation(generation=generation, seen_chars=0)
    wait_for_end(generation)

    assert (generation.status, generation.reply) == ("stopped", None)
    assert bills(generation) == ["estimate"]


@pytest.fixture
def claimed(conversation: Conversation) -> Generation:
    """bob's generation, held by a worker that has fallen silent."""
    return claimed_and_silent()


def test_a_crash_after_the_stop_keeps_the_same_cut(claimed: Generation) -> None:
    Generation.objects.update(partial_text=ARRIVED)
    services.stop_generation(generation=claimed, seen_chars=4)

    worker.settle()

    claimed.refresh_from_db()
    assert (claimed.status, text_of(claimed)) == ("stopped", "Eins")
    assert bills(claimed) == ["estimate"]


def test_a_stop_before_the_end_is_stored_wins_and_the_providers_count_is_billed(
    claimed: Generation,
) -> None:
    services.stop_generation(generation=claimed, seen_chars=4)

    stored = finish(claimed, Outcome(Generation.Status.COMPLETED, SENTENCE, usage=Usage(7, 5)))

    claimed.refresh_from_db()
    assert stored is not None
    assert (claimed.status, text_of(claimed)) == ("stopped", "Eins")
    entry = UsageEntry.objects.get()
    assert (entry.input_tokens, entry.output_tokens, entry.is_estimate) == (7, 5, False)


def test_a_stop_after_the_end_changes_nothing(claimed: Generation) -> None:
    finish(claimed, Outcome(Generation.Status.COMPLETED, SENTENCE, usage=Usage(7, 5)))

    services.stop_generation(generation=claimed, seen_chars=4)

    claimed.refresh_from_db()
    assert (claimed.status, text_of(claimed)) == ("completed", SENTENCE)
    assert claimed.stop_requested_at is None


def test_a_run_that_is_to_be_stopped_does_not_go_back_to_the_queue(claimed: Generation) -> None:
    services.stop_generation(generation=claimed)

    worker.settle()

    claimed.refresh_from_db()
    assert (claimed.status, bills(claimed)) == ("stopped", [])


def test_a_message_after_a_stop_follows_what_was_kept(
    claimed: Generation, member: Membership
) -> None:
    services.stop_generation(generation=claimed, seen_chars=4)
    finish(claimed, Outcome(Generation.Status.STOPPED, SENTENCE))

    sent = services.send_message(
        actor=member, conversation=claimed.conversation, text="On", request_id=uuid.uuid4()
    )

    assert sent.prompt.parent is not None
    assert sent.prompt.parent.content == "Eins"
