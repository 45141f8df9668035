"""A long conversation is read from its end upward, a page at a time."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat import services
from chat.models import Conversation, Message
from chat.services.conversations import TURNS_PER_PAGE
from tenants.models import Membership
from tests.client import SCOPE_STATEMENTS

COUNT = 2 * TURNS_PER_PAGE + 6


@pytest.fixture
def long(conversation: Conversation) -> Conversation:
    """bob's conversation with COUNT messages, whose texts are their numbers; nothing is live."""
    services.stop_generation(generation=conversation.generations.get())
    messages: list[Message] = []
    for number in range(COUNT):
        message = Message(
            tenant=conversation.tenant, conversation=conversation, content=f"<{number}>",
            role="assistant" if number % 2 else "user", parent=messages[-1] if messages else None,
        )  # fmt: skip
        messages.append(message)
    Message.objects.bulk_create(messages)
    Conversation.objects.filter(pk=conversation.pk).update(head=messages[-1])
    conversation.refresh_from_db()
    return conversation


def texts(turns: list[services.Turn]) -> list[str]:
    return [turn.text for turn in turns]


def test_its_last_turns_are_read_first_and_then_those_before(long: Conversation) -> None:
    pages = [services.read_turns(long)]
    while before := services.earlier_turns(pages[0]):
        pages.insert(0, services.read_turns(long, before=before))

    assert [len(page) for page in pages] == [6, TURNS_PER_PAGE, TURNS_PER_PAGE]
    assert [text for page in pages for text in texts(page)] == [
        f"<{number}>" for number in range(COUNT)
    ]


def test_a_live_answer_is_only_at_the_end(member: Membership, long: Conversation) -> None:
    services.send_message(actor=member, conversation=long, text="More", request_id=uuid.uuid4())
    long.refresh_from_db()

    last = services.read_turns(long)
    before = services.earlier_turns(last)

    assert last[-1].generation is not None
    assert last[-1].generation.is_live
    assert before is not None
    assert texts(services.read_turns(long, before=before))[-1] == f"<{COUNT - TURNS_PER_PAGE}>"


def test_a_short_conversation_has_nothing_earlier(conversation: Conversation) -> None:
    assert services.earlier_turns(services.read_turns(conversation)) is None
    assert services.earlier_turns([]) is None


@pytest.mark.parametrize("name", ["show_conversation", "list_turns"])
def test_page_and_fragment_have_a_way_upward(
    as_member: Client, long: Conversation, name: str
) -> None:
    url = reverse(f"chat:{name}", args=["acme", long.pk])
    earlier = services.earlier_turns(services.read_turns(long))
    assert earlier is not None

    latest, before = as_member.get(url), as_member.get(url, {"before": str(earlier.pk)})

    assert f"?before={earlier.pk}".encode() in latest.content
    assert f"&lt;{COUNT - 1}&gt;".encode() in latest.content
    assert f"&lt;{COUNT - 1}&gt;".encode() not in before.content
    assert f"&lt;{COUNT - 1 - TURNS_PER_PAGE}&gt;".encode() in before.content
    assert (b"data-composer" in before.content) is False


@pytest.mark.parametrize("before", ["", "x", "\0", "0b5a1c9e-7d43-4f0e-9c1a-5a0e6f2b8d11"])
def test_what_is_no_message_of_it_is_not_there(
    as_member: Client, long: Conversation, before: str
) -> None:
    for name in ("show_conversation", "list_turns"):
        url = reverse(f"chat:{name}", args=["acme", long.pk])

        assert as_member.get(url, {"before": before}).status_code == 404


def test_another_conversations_message_leads_nowhere(
    as_member: Client, colleague: Membership, long: Conversation
) -> None:
    theirs = services.start_conversation(actor=colleague, text="Mine", request_id=uuid.uuid4())
    url = reverse("chat:list_turns", args=["acme", long.pk])

    answer = as_member.get(url, {"before": str(theirs.messages.get().pk)})

    assert answer.status_code == 404


def test_earlier_turns_cost_the_same_queries_however_many_there_are(
    as_member: Client, long: Conversation, django_assert_num_queries: Any
) -> None:
    url = reverse("chat:list_turns", args=["acme", long.pk])

    # session, person, membership, conversation, branch, generations; a scope, which is narrowed
    with django_assert_num_queries(6 + SCOPE_STATEMENTS + 1):
        as_member.get(url)
