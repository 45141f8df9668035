"""Answering a prompt once more."""

import threading
import uuid

import pytest
from django.db import connection

from chat import services
from chat.errors import AlreadyAnswering, NothingToRetry, TooManyWaiting
from chat.generation.ending import Outcome, finish
from chat.models import Conversation, Generation, Message
from tenants.models import Membership, Tenant
from tests.chat.answers import claimed_and_silent
from tests.chat.test_sending import finish_first

Status = Generation.Status
ENDED = [status for status in Status if status not in Generation.LIVE]


def test_retry_answers_the_same_prompt_and_keeps_the_earlier_reply(
    member: Membership, conversation: Conversation
) -> None:
    first = finish_first(conversation)

    second = services.retry_generation(actor=member, generation=first, request_id=uuid.uuid4())

    assert second.prompt == first.prompt
    assert first.reply is not None
    assert Message.objects.filter(pk=first.reply.pk).exists()
    assert [t.role for t in services.read_turns(Conversation.objects.get())] == [
        "user",
        "assistant",
    ]


def test_retry_is_refused_once_the_conversation_has_gone_on(
    member: Membership, conversation: Conversation
) -> None:
    first = finish_first(conversation)
    services.send_message(
        actor=member, conversation=conversation, text="Next", request_id=uuid.uuid4()
    )
    Generation.objects.filter(status=Status.QUEUED).update(status=Status.FAILED)

    with pytest.raises(NothingToRetry):
        services.retry_generation(actor=member, generation=first, request_id=uuid.uuid4())


def test_a_retry_that_brought_nothing_leaves_the_earlier_reply_in_sight(
    member: Membership, conversation: Conversation
) -> None:
    first = finish_first(conversation)
    second = services.retry_generation(actor=member, generation=first, request_id=uuid.uuid4())

    services.stop_generation(generation=second)

    turns = services.read_turns(Conversation.objects.get())
    assert [turn.text for turn in turns] == ["Good morning", "Good morning, Bob.", ""]


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("text", ["", "One two"])
def test_every_end_may_be_followed_by_another_try(
    member: Membership, conversation: Conversation, status: Status, text: str
) -> None:
    ended = claimed_and_silent()
    finish(ended, Outcome(status, text))
    ended.refresh_from_db()

    again = services.retry_generation(actor=member, generation=ended, request_id=ended.pk)

    assert (again.prompt, again.is_live) == (ended.prompt, True)


def test_what_may_not_wait_is_refused_on_every_path(
    member: Membership, conversation: Conversation
) -> None:
    stopped = claimed_and_silent()
    finish(stopped, Outcome(Status.STOPPED, "One two"))
    services.start_conversation(actor=member, text="Hi", request_id=uuid.uuid4())
    Tenant.objects.update(max_queued_per_member=1)
    member.tenant.refresh_from_db()
    new = uuid.uuid4()

    with pytest.raises(TooManyWaiting):
        services.start_conversation(actor=member, text="Hi", request_id=new)
    with pytest.raises(TooManyWaiting):
        services.send_message(actor=member, conversation=conversation, text="Hi", request_id=new)
    with pytest.raises(TooManyWaiting):
        services.retry_generation(actor=member, generation=stopped, request_id=new)
    with pytest.raises(TooManyWaiting):
        services.continue_generation(actor=member, generation=stopped, request_id=new)
    assert (Conversation.objects.count(), Message.objects.count()) == (2, 3)


def test_what_is_said_next_follows_the_reply_in_sight(
    member: Membership, conversation: Conversation
) -> None:
    first = finish_first(conversation)
    services.stop_generation(
        generation=services.retry_generation(
            actor=member, generation=first, request_id=uuid.uuid4()
        )
    )

    sent = services.send_message(
        actor=member, conversation=conversation, text="On", request_id=uuid.uuid4()
    )

    assert sent.prompt.parent == first.reply


@pytest.mark.django_db(transaction=True)
def test_simultaneous_continuations_are_one(conversation: Conversation, member: Membership) -> None:
    interrupted = claimed_and_silent()
    finish(interrupted, Outcome(Status.INTERRUPTED, "One two"))
    barrier = threading.Barrier(4)
    outcomes: list[str] = []

    def run(request_id: uuid.UUID) -> None:
        barrier.wait(10)
        try:
            services.continue_generation(
                actor=member, generation=interrupted, request_id=request_id
            )
            outcomes.append("continued")
        except AlreadyAnswering:
            outcomes.append("busy")
        finally:
            connection.close()

    same = uuid.uuid4()
    threads = [threading.Thread(target=run, args=[i]) for i in (same, same, same, uuid.uuid4())]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(outcomes) == 4
    assert Generation.objects.live().count() == 1
