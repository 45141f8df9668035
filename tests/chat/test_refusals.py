"""How the views tell what was refused: to our script, and to a plain form, with the text kept."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Conversation, Deployment, Generation, Message
from tenants.models import Membership, Tenant

FETCH = {"X-Requested-With": "fetch"}


def sent(**fields: object) -> dict[str, Any]:
    """The fields of a send."""
    return {"message": "One more", "request_id": uuid.uuid4(), **fields}


@pytest.fixture
def full(tenant: Tenant, conversation: Conversation) -> Conversation:
    """bob's conversation, whose waiting message is all that he may have waiting."""
    Tenant.objects.filter(pk=tenant.pk).update(max_queued_per_member=1)
    return conversation


def test_too_many_waiting_says_when_to_try_again(as_member: Client, full: Conversation) -> None:
    url = reverse("chat:start_conversation", args=["acme"])

    refused = as_member.post(url, sent(), headers=FETCH)

    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (429, "too_many_waiting")
    assert refused["Retry-After"] == str(error["retry_after_seconds"])
    assert Conversation.objects.count() == 1


def test_a_plain_form_keeps_the_text_and_the_model(
    as_member: Client, full: Conversation, deployment: Deployment
) -> None:
    url = reverse("chat:start_conversation", args=["acme"])

    refused = as_member.post(url, sent(deployment=deployment.pk))

    assert refused.status_code == 429
    assert "Retry-After" in refused
    assert refused.context["draft"] == "One more"
    assert refused.context["deployment"] == deployment


def test_a_refused_edit_keeps_the_text_in_its_own_form(
    as_member: Client, conversation: Conversation
) -> None:
    generation = conversation.generations.get()
    Generation.objects.filter(pk=generation.pk).update(status="filtered", filter_side="prompt")
    url = reverse("chat:edit_generation", args=["acme", generation.pk])

    refused = as_member.post(url, sent(message="x" * 200_000))

    assert refused.status_code == 413
    assert refused.context["edited"] == "x" * 200_000
    assert not refused.context["draft"]
    assert b"<details" in refused.content
    assert Message.objects.count() == 1


@pytest.mark.parametrize("seen", ["-1", "many", "1.5", "9" * 5000])
def test_a_stop_with_a_strange_count_is_refused(
    as_member: Client, conversation: Conversation, seen: str
) -> None:
    generation = conversation.generations.get()
    url = reverse("chat:stop_generation", args=["acme", generation.pk])

    refused = as_member.post(url, {"seen": seen}, headers=FETCH)

    generation.refresh_from_db()
    assert (refused.status_code, generation.stop_requested_at) == (400, None)


def test_a_stop_tells_what_was_seen(
    as_member: Client, member: Membership, conversation: Conversation
) -> None:
    generation = conversation.generations.get()
    Generation.objects.filter(pk=generation.pk).update(seen_chars=None)
    url = reverse("chat:stop_generation", args=["acme", generation.pk])

    assert as_member.post(url, {"seen": "12"}, headers=FETCH).status_code == 202

    generation.refresh_from_db()
    assert (generation.status, generation.seen_chars) == ("stopped", 12)
