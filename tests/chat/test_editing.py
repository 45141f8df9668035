"""Asking again in other words, where a prompt got no reply."""

import uuid

import pytest

from chat import services
from chat.errors import AlreadyAnswering, EmptyMessage, NothingToEdit
from chat.models import Conversation, Deployment, Generation
from tenants.models import Membership
from tests.chat.answers import ask, text_of, wait_for_end
from tests.chat.test_sending import finish_first
from tests.stack import Stack
from tests.upstream import Upstream, refusals


def resend(member: Membership, generation: Generation, text: str = "Kinder words") -> Generation:
    """Ask again instead of this generation's prompt."""
    return services.resend_edited(
        actor=member, generation=generation, text=text, request_id=uuid.uuid4()
    )


def test_a_filtered_prompt_is_sent_again_in_other_words(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(refusals.content_filter("hate"))
    filtered = ask(member, "Bad words")
    wait_for_end(filtered)

    edited = resend(member, filtered)
    wait_for_end(edited)

    assert (filtered.status, edited.status) == ("filtered", "completed")
    assert upstream.requests[1].body["messages"] == [{"role": "user", "content": "Kinder words"}]
    conversation = Conversation.objects.get()
    assert conversation.title == "Kinder words"
    turns = services.read_turns(conversation)
    assert [turn.text for turn in turns] == ["Kinder words", text_of(edited)]


def test_the_edited_message_takes_the_place_of_the_earlier_one(
    member: Membership, conversation: Conversation
) -> None:
    first = finish_first(conversation)
    stopped = services.send_message(
        actor=member, conversation=conversation, text="Wrong", request_id=uuid.uuid4()
    )
    services.stop_generation(generation=stopped)

    edited = resend(member, stopped, "Right")

    assert edited.prompt.parent == stopped.prompt.parent == first.reply
    turns = services.read_turns(Conversation.objects.get())
    assert [turn.text for turn in turns] == ["Good morning", "Good morning, Bob.", "Right", ""]
    assert Conversation.objects.get().title == "Good morning"


def test_an_edit_while_the_answer_is_written_is_refused(
    member: Membership, conversation: Conversation
) -> None:
    with pytest.raises(AlreadyAnswering):
        resend(member, conversation.generations.get())

    assert conversation.messages.count() == 1


def test_a_message_that_has_an_answer_is_not_edited(
    member: Membership, conversation: Conversation
) -> None:
    answered = finish_first(conversation)

    with pytest.raises(NothingToEdit):
        resend(member, answered)


def test_an_empty_edit_is_refused(member: Membership, conversation: Conversation) -> None:
    generation = conversation.generations.get()
    services.stop_generation(generation=generation)

    with pytest.raises(EmptyMessage):
        resend(member, generation, "  ")


def test_editing_twice_with_one_request_id_is_one_message(
    member: Membership, conversation: Conversation
) -> None:
    generation, request_id = conversation.generations.get(), uuid.uuid4()
    services.stop_generation(generation=generation)

    first, second = (
        services.resend_edited(
            actor=member, generation=generation, text="Once", request_id=request_id
        )
        for _ in range(2)
    )

    assert first == second
    assert conversation.messages.filter(content="Once").count() == 1
