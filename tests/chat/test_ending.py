"""How generations end without their worker, and what a worker that lost its claim may not do."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from chat import generation as worker
from chat import services, streams
from chat.generation import ending
from chat.generation.claiming import claim_next
from chat.generation.ending import Outcome
from chat.models import Conversation, Generation, UsageEntry
from chat.provider import Usage
from tenants.models import AuditEvent, Membership
from tests.stack import wait_until

Status = Generation.Status


@pytest.fixture
def claimed(conversation: Conversation) -> Generation:
    """bob's generation, held by a worker that has fallen silent."""
    generation = claim_next()
    assert generation is not None
    Generation.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))
    generation.refresh_from_db()
    return generation


def shown(generation: Generation, text: str) -> None:
    """Have followers see this text of the generation's attempt."""
    key = streams.stream_key(generation.tenant_id, generation.pk)
    streams.Writer(key, generation.attempt).append(text)
    wait_until(lambda: streams.read_text(key, generation.attempt) == text)


def test_what_had_been_shown_is_kept_and_billed_once(claimed: Generation) -> None:
    shown(claimed, "Good mor")

    settled = [worker.settle(), worker.settle()]

    claimed.refresh_from_db()
    assert [s.ended for s in settled] == [1, 0]
    assert (claimed.status, claimed.error_code) == (Status.INTERRUPTED, "worker_lost")
    assert claimed.reply is not None
    assert claimed.reply.content == "Good mor"
    assert UsageEntry.objects.get().is_estimate


def test_the_stored_text_counts_when_the_relay_has_forgotten(claimed: Generation) -> None:
    Generation.objects.update(partial_text="Good")
    claimed.refresh_from_db()

    worker.settle_if_stale(claimed)

    claimed.refresh_from_db()
    assert claimed.reply is not None
    assert claimed.reply.content == "Good"


def test_a_run_that_showed_nothing_waits_again_until_the_last_attempt(claimed: Generation) -> None:
    for attempt in (1, 2):
        assert worker.settle().requeued == 1
        again = claim_next()
        assert again is not None
        assert again.attempt == attempt + 1
        Generation.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))

    worker.settle()

    claimed.refresh_from_db()
    assert (claimed.status, claimed.error_code) == (Status.FAILED, "worker_lost")
    assert not UsageEntry.objects.exists()


def test_a_stop_that_nobody_noticed_is_kept(claimed: Generation) -> None:
    services.stop_generation(generation=claimed)

    worker.settle()

    claimed.refresh_from_db()
    assert claimed.status == Status.STOPPED


def test_a_worker_that_lost_its_claim_stores_nothing(claimed: Generation) -> None:
    zombie = Generation.objects.get()
    worker.settle()
    claim_next()

    stored = ending.finish(zombie, Outcome(Status.COMPLETED, text="Late", usage=Usage(1, 1)))

    claimed.refresh_from_db()
    assert not stored
    assert claimed.status == Status.RUNNING
    assert not UsageEntry.objects.exists()
    assert claimed.conversation.messages.count() == 1


def test_reading_settles(claimed: Generation) -> None:
    shown(claimed, "Good mor")

    turns = services.read_turns(claimed.conversation)

    assert turns[-1].text == "Good mor"
    assert turns[-1].generation is not None
    assert turns[-1].generation.status == Status.INTERRUPTED


def test_sending_goes_on_after_a_lost_worker(claimed: Generation, member: Membership) -> None:
    shown(claimed, "Good mor")

    sent = services.send_message(
        actor=member, conversation=claimed.conversation, text="Still there?",
        request_id=uuid.uuid4(),
    )  # fmt: skip

    assert sent.prompt.parent is not None
    assert sent.prompt.parent.content == "Good mor"


def test_deleting_a_running_conversation_bills_what_was_shown(
    claimed: Generation, member: Membership
) -> None:
    shown(claimed, "Good mor")

    services.delete_conversation(actor=member, conversation=claimed.conversation)

    assert not Conversation.objects.exists()
    assert UsageEntry.objects.get().generation_id == claimed.pk
    assert AuditEvent.objects.filter(action="conversation.deleted", actor=member.user).exists()


def test_a_fresh_heartbeat_is_left_alone(conversation: Conversation) -> None:
    claim_next()

    assert worker.settle() == (0, 0, 0)


def test_a_run_that_is_handed_back_waits_as_the_attempt_that_it_was(claimed: Generation) -> None:
    assert ending.give_back(claimed)

    again = claim_next()
    assert again is not None
    assert (again.pk, again.attempt) == (claimed.pk, claimed.attempt)
    assert not ending.give_back(claimed)
    assert ending.finish(claimed, Outcome(Status.COMPLETED, text="Late")) is None
    claimed.refresh_from_db()
    assert claimed.status == Status.RUNNING


def test_a_run_that_is_to_be_stopped_is_not_handed_back(claimed: Generation) -> None:
    services.stop_generation(generation=claimed)

    assert not ending.give_back(claimed)
    assert not ending.requeue(claimed)
