"""What the page says of an answer: while it waits, however it ended, and what can be done then."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from chat import services
from chat.models import Conversation, Deployment, Generation
from tenants.models import Membership, Tenant
from tests.chat.answers import another
from tests.chat.test_sending import finish_first


def end(conversation: Conversation, text: str = "", **fields: Any) -> Generation:
    """End the conversation's generation with these fields, and with a reply if it has a text."""
    generation = finish_first(conversation, text) if text else conversation.generations.get()
    Generation.objects.filter(pk=generation.pk).update(**fields)
    generation.refresh_from_db()
    return generation


def words_on(client: Client, conversation: Conversation) -> str:
    """The words of its page, without line breaks."""
    url = reverse("chat:show_conversation", args=["acme", conversation.pk])
    page = client.get(url).content.decode()
    return " ".join(strip_tags(page[page.index('role="log"') :].split("</main>")[0]).split())


@pytest.mark.parametrize(
    ("text", "fields", "words", "actions"),
    [
        ("Half", {"status": "stopped"}, "What you had seen of it is kept", "Continue Regenerate"),
        ("", {"status": "stopped"}, "before any of the answer", "Try again Edit and send again"),
        ("Half", {"status": "truncated"}, "length limit and ends here", "Continue Regener"),
        ("Half", {"status": "interrupted", "error_code": "worker_stopped"},
         "interrupted because Atrium was being updated", "Continue Regenerate"),
        ("Half", {"status": "interrupted", "error_code": "worker_lost"},
         "interrupted because the worker stopped", "Continue Regenerate"),
        ("", {"status": "filtered", "filter_side": "prompt", "filter_category": "self_harm"},
         "did not let your message through (category: self-harm)", "Edit and send again"),
        ("Half", {"status": "filtered", "filter_side": "reply", "filter_category": "hate"},
         "content filter ended this answer (category: hate)", "What had arrived is kept. Regen"),
        ("", {"status": "failed", "error_code": "rate_limited"},
         "provider is at its limit", "Try again Edit"),
        ("", {"status": "failed", "error_code": "context_too_long"},
         "longer than the model can read", "New chat Edit and send again"),
        ("", {"status": "failed", "error_code": "unauthorised"}, "refused Atrium", "Try again"),
        ("", {"status": "failed", "error_code": "unavailable"}, "not be reached", "Try again"),
        ("", {"status": "failed", "error_code": "timeout"}, "not begin to answer", "Try again"),
        ("", {"status": "failed", "error_code": "internal"}, "wrong on our side", "Try again"),
    ],
)  # fmt: skip
def test_every_end_is_told_with_what_can_be_done(
    as_member: Client,
    conversation: Conversation,
    text: str,
    fields: dict[str, str],
    words: str,
    actions: str,
) -> None:
    end(conversation, text, **fields)

    shown = words_on(as_member, conversation)

    assert words in shown
    assert actions in shown
    assert ("Continue" in shown) == ("Continue" in actions)


def test_a_failure_tells_when_to_try_again(as_member: Client, conversation: Conversation) -> None:
    later = timezone.now() + timedelta(minutes=5)
    end(conversation, status="failed", error_code="rate_limited", try_again_at=later)

    assert "Try again in 5 min." in words_on(as_member, conversation)


def test_a_failure_whose_wait_is_over_says_now(
    as_member: Client, conversation: Conversation
) -> None:
    end(conversation, status="failed", error_code="rate_limited", try_again_at=timezone.now())

    assert "Try again now." in words_on(as_member, conversation)


def test_an_answer_names_the_fallback_and_what_was_left_out(
    as_member: Client, conversation: Conversation, deployment: Deployment
) -> None:
    asked = another(deployment, "large")
    end(conversation, "Fine.", status="completed", stands_in_for=asked, left_out=12)

    shown = words_on(as_member, conversation)

    assert "Answered by Small model, because Large was paused" in shown
    assert "The 12 oldest messages were left out" in shown


def test_a_queued_answer_says_how_many_are_ahead(
    as_member: Client, conversation: Conversation, colleague: Membership
) -> None:
    services.start_conversation(actor=colleague, text="Hello", request_id=uuid.uuid4())
    before = conversation.generations.get().queued_at - timedelta(seconds=9)
    Generation.objects.exclude(conversation=conversation).update(queued_at=before)

    assert "Queued, 1 ahead of you" in words_on(as_member, conversation)


def test_a_queued_answer_says_whose_limit_it_waits_for(
    as_member: Client, conversation: Conversation, tenant: Tenant, member: Membership
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(max_running_per_member=1)
    other = services.start_conversation(actor=member, text="Hello", request_id=uuid.uuid4())
    now = timezone.now()
    other.generations.update(status="running", started_at=now, heartbeat_at=now)

    assert "Waiting: you have 1 answer running" in words_on(as_member, conversation)


def test_the_fragment_of_an_attempt_that_brought_nothing_holds_the_answer_before_it(
    as_member: Client, conversation: Conversation, member: Membership
) -> None:
    first = finish_first(conversation)
    again = services.retry_generation(actor=member, generation=first, request_id=uuid.uuid4())
    services.stop_generation(generation=again)

    fragment = as_member.get(reverse("chat:show_generation", args=["acme", again.pk]))

    assert fragment.content.count(b"Assistant said") == 2
    assert fragment.content.index(b"Good morning, Bob.") < fragment.content.index(b"You stopped")
