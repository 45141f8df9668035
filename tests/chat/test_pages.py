"""What pages and fragments hold, and how many queries they cost."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import services
from chat.models import Conversation, Deployment
from tenants.models import Membership
from tests.chat.test_sending import finish_first
from tests.client import SCOPE_STATEMENTS


def many(member: Membership, deployment: Deployment, count: int) -> None:
    """This many conversations of the member."""
    Conversation.objects.bulk_create(
        Conversation(
            tenant=member.tenant, owner=member.user, title=f"Report {number}",
            deployment=deployment, request_id=uuid.uuid4(), active_at=timezone.now(),
        )
        for number in range(count)
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 60])
def test_the_empty_page_costs_the_same_queries_however_long_the_list(
    as_member: Client,
    member: Membership,
    deployment: Deployment,
    django_assert_num_queries: Any,
    count: int,
) -> None:
    many(member, deployment, count)

    # session, person, membership, list, models, library, logo; in a scope that is narrowed
    with django_assert_num_queries(7 + SCOPE_STATEMENTS + 1):
        as_member.get(reverse("chat:new_conversation", args=["acme"]))


def test_a_conversation_costs_the_same_queries_however_long_it_is(
    as_member: Client,
    member: Membership,
    conversation: Conversation,
    django_assert_num_queries: Any,
) -> None:
    finish_first(conversation)
    for _ in range(3):
        sent = services.send_message(
            actor=member, conversation=conversation, text="More", request_id=uuid.uuid4()
        )
        services.stop_generation(generation=sent)

    # as above without the library; the branch, its generations, what is live, and investigations
    with django_assert_num_queries(11 + SCOPE_STATEMENTS + 1):
        page = as_member.get(reverse("chat:show_conversation", args=["acme", conversation.pk]))

    assert page.content.count(b"Assistant said") == 2


def test_the_list_is_searched_by_title(
    as_member: Client, member: Membership, deployment: Deployment
) -> None:
    many(member, deployment, 12)
    url = reverse("chat:list_conversations", args=["acme"])

    rows = as_member.get(url, {"q": "report 11"}, headers={"X-Requested-With": "fetch"})

    assert rows.content.count(b"Report ") >= 1
    assert b"Report 11" in rows.content
    assert b"Report 10" not in rows.content


@pytest.mark.parametrize("query", ["%", "_", "\0", "'", "\\", "a" * 5000])
def test_a_search_takes_any_text(as_member: Client, conversation: Conversation, query: str) -> None:
    url = reverse("chat:list_conversations", args=["acme"])

    answer = as_member.get(url, {"q": query, "after": query})

    assert answer.status_code == 200


def test_a_title_is_renamed_and_never_blank(as_member: Client, conversation: Conversation) -> None:
    url = reverse("chat:rename_conversation", args=["acme", conversation.pk])
    fetch = {"X-Requested-With": "fetch"}

    assert as_member.post(url, {"title": "  Plans   <b>"}, headers=fetch).status_code == 200
    assert as_member.post(url, {"title": "   "}, headers=fetch).status_code == 400

    conversation.refresh_from_db()
    assert conversation.title == "Plans <b>"


def test_pages_are_private_and_carry_a_strict_policy(
    as_member: Client, conversation: Conversation
) -> None:
    page = as_member.get(reverse("chat:show_conversation", args=["acme", conversation.pk]))

    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "default-src 'none'" in policy
    assert "private" in page["Cache-Control"]
    assert page["X-Content-Type-Options"] == "nosniff"
    assert page["X-Request-Id"]
