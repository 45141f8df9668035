"""What is sent to the model."""

import uuid

from chat import prompts, services
from chat.models import Conversation, Message
from tenants.models import Membership
from tests.chat.test_sending import finish_first


def test_the_branch_follows_the_system_prompt(
    member: Membership, conversation: Conversation
) -> None:
    Conversation.objects.update(system_prompt="Be brief.")
    finish_first(conversation)
    generation = services.send_message(
        actor=member, conversation=conversation, text="Thanks", request_id=uuid.uuid4()
    )

    assert [(m["role"], m["content"]) for m in prompts.build(generation).messages] == [
        ("system", "Be brief."),
        ("user", "Good morning"),
        ("assistant", "Good morning, Bob."),
        ("user", "Thanks"),
    ]


def test_the_newest_messages_that_fit_are_kept(
    member: Membership, conversation: Conversation
) -> None:
    finish_first(conversation, text="long " * 8192)
    generation = services.send_message(
        actor=member, conversation=conversation, text="Thanks", request_id=uuid.uuid4()
    )

    assert [m["content"] for m in prompts.build(generation).messages] == ["Thanks"]


def test_a_prompt_that_fits_nowhere_is_still_sent_whole(conversation: Conversation) -> None:
    Message.objects.update(content="long " * 20_000)

    assert len(prompts.build(conversation.generations.get()).messages) == 1


def test_the_estimate_counts_letters_by_their_script() -> None:
    assert prompts.estimate_tokens("") == 0
    assert prompts.estimate_tokens("word") == 1
    assert prompts.estimate_tokens("words") == 2
    assert prompts.estimate_tokens("東京タワー") == 5
