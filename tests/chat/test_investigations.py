"""Break-glass: one conversation, one reader, a written reason, a while; nothing of it elsewhere."""

import logging
import uuid
from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.utils import timezone

from chat import disclosure
from chat.models import Conversation, Investigation
from tenants.models import AuditEvent, Membership, Tenant
from tests.admin import administrator, as_admin
from tests.chat.investigating import (
    REASON,
    as_owner,
    ask,
    assert_secret,
    browser_of,
    events,
    opened,
    over,
    page,
    words,
)

__all__ = ["administrator", "as_admin", "as_owner", "opened", "over", "words"]  # fixtures

pytestmark = pytest.mark.usefixtures("words")
ADD = "/admin/chat/investigation/add/"
INVISIBLE = "\u200b\u2060\ufeff\u00ad\u3164\u2800" * 9


# ── Opening ────────────────────────────────────────────────────────────────────────────────────
def test_an_owner_opens_one_conversation_by_its_id_with_a_reason(
    as_owner: Client, owner: Membership, conversation: Conversation
) -> None:
    response = ask(as_owner, conversation.pk)

    opened = Investigation.objects.get()
    assert response["Location"] == page(opened)
    assert (opened.conversation, opened.member) == (conversation, conversation.owner)
    assert (opened.opened_by, opened.reason) == (owner.user, REASON)
    assert opened.expires_at - opened.created_at < timedelta(minutes=15, seconds=5)
    (event,) = events()
    assert (event.action, event.tenant, event.actor) == (
        "investigation.opened", owner.tenant, owner.user,
    )  # fmt: skip
    assert event.subject == f"chat.investigation:{opened.pk}"
    assert event.detail["reason"] == REASON
    assert event.detail["conversation"] == str(conversation.pk)
    assert event.detail["role"] == "owner"


def test_a_platform_administrator_opens_one_and_the_tenants_log_has_it(
    as_admin: Client, conversation: Conversation
) -> None:
    ask(as_admin, conversation.pk)

    (event,) = events()
    assert (event.tenant, event.detail["role"]) == (conversation.tenant, "platform administrator")


@pytest.mark.parametrize(
    "reason", ["", "   ", "too short", "a         b", "x" * 2001, INVISIBLE, "!" * 40]
)
def test_without_a_proper_reason_nothing_is_opened(
    as_owner: Client, conversation: Conversation, reason: str
) -> None:
    response = ask(as_owner, conversation.pk, reason)

    assert response.status_code == HTTPStatus.OK
    assert response.context["form"].errors
    assert str(conversation.pk) in response.content.decode()
    assert not Investigation.objects.exists()
    assert events() == []


def test_an_id_of_another_tenant_is_answered_like_one_that_does_not_exist(
    outsider: Membership, conversation: Conversation
) -> None:
    as_outsider = browser_of(outsider.user)

    theirs, none = (
        ask(as_outsider, pk).content.decode().replace(str(pk), "")
        for pk in (conversation.pk, uuid.uuid4())
    )

    assert "There is no conversation with this id." in theirs
    assert _without_tokens(theirs) == _without_tokens(none)
    assert not Investigation.objects.exists()


def _without_tokens(page: str) -> list[str]:
    return [line for line in page.splitlines() if "csrfmiddlewaretoken" not in line]


@pytest.mark.parametrize("typed", ["", "4711", "Quarterly layoffs", "%", "' OR 1=1"])
def test_it_takes_a_whole_id_and_nothing_else(as_owner: Client, typed: str) -> None:
    response = ask(as_owner, typed)

    assert "conversation" in response.context["form"].errors
    assert not Investigation.objects.exists()


def test_ones_own_conversation_is_refused_with_a_hint(
    as_owner: Client, owner: Membership, conversation: Conversation
) -> None:
    Conversation.objects.update(owner=owner.user)

    response = ask(as_owner, conversation.pk)

    assert "your own: read it in the portal" in response.content.decode()
    assert not Investigation.objects.exists()


@pytest.mark.parametrize("role", ["manager", "member"])
def test_nobody_below_an_owner_opens_one(
    colleague: Membership, conversation: Conversation, role: str
) -> None:
    Membership.objects.filter(pk=colleague.pk).update(role=role)
    client = browser_of(colleague.user)

    status = ask(client, conversation.pk).status_code

    assert status in {HTTPStatus.FORBIDDEN, HTTPStatus.FOUND}
    assert client.get("/admin/chat/investigation/").status_code == status
    assert not Investigation.objects.exists()


def test_an_owner_elsewhere_who_only_manages_here_opens_none_here(
    outsider: Membership, conversation: Conversation
) -> None:
    Membership.objects.create(user=outsider.user, tenant=conversation.tenant, role="manager")

    response = ask(browser_of(outsider.user), conversation.pk)

    assert "There is no conversation with this id." in response.content.decode()
    assert not Investigation.objects.exists()


def test_the_form_is_filled_in_from_the_conversations_page(
    as_owner: Client, conversation: Conversation
) -> None:
    form = as_owner.get(ADD, {"conversation": str(conversation.pk)}).content.decode()

    assert f'value="{conversation.pk}"' in form
    assert not Investigation.objects.exists()


# ── What the admin shows besides ───────────────────────────────────────────────────────────────
def test_no_word_is_in_lists_history_log_entries_the_audit_log_or_logs(
    as_owner: Client, opened: Investigation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    as_owner.get(page(opened))

    for address in (
        "/admin/chat/investigation/",
        page(opened, "change"),
        page(opened, "history"),
        "/admin/tenants/auditevent/",
        "/admin/",
    ):
        assert_secret(as_owner.get(address).content.decode())
    assert_secret(str([event.detail for event in AuditEvent.objects.all()]))
    assert_secret(caplog.text)


@pytest.mark.parametrize(
    "filters",
    [
        {"conversation__title__startswith": "Q"},
        {"conversation__messages__content__contains": "morning"},
        {"member__password__startswith": "a"},
    ],
)
def test_no_word_can_be_guessed_by_filtering(
    as_owner: Client, opened: Investigation, filters: dict[str, str]
) -> None:
    answer = as_owner.get("/admin/chat/investigation/", filters)

    assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_an_owner_sees_their_tenants_investigations_alone(
    opened: Investigation, outsider: Membership
) -> None:
    client = browser_of(outsider.user)

    assert list(client.get("/admin/chat/investigation/").context["cl"].result_list) == []
    assert client.get(page(opened)).status_code == HTTPStatus.NOT_FOUND
    assert client.post(page(opened, "end")).status_code == HTTPStatus.NOT_FOUND


# ── The end ────────────────────────────────────────────────────────────────────────────────────
def test_it_can_be_ended_early(as_owner: Client, owner: Membership, opened: Investigation) -> None:
    as_owner.post(page(opened, "end"))
    as_owner.post(page(opened, "end"))

    assert as_owner.get(page(opened)).status_code == HTTPStatus.GONE
    (event,) = events("investigation.ended")
    assert (event.actor, event.detail["by"]) == (owner.user, "hand")
    opened.refresh_from_db()
    assert opened.notify_at == opened.expires_at <= timezone.now()


def test_an_end_by_hand_keeps_the_tenants_delay(
    as_owner: Client, owner: Membership, conversation: Conversation
) -> None:
    Tenant.objects.filter(pk=owner.tenant_id).update(investigation_notice_days=30)
    ask(as_owner, conversation.pk)
    opened = Investigation.objects.get()

    as_owner.post(page(opened, "end"))

    opened.refresh_from_db()
    assert opened.notify_at - opened.expires_at == timedelta(days=30)


def test_an_end_by_time_is_written_once(over: Investigation) -> None:
    assert disclosure.end_over() == 1
    assert disclosure.end_over() == 0

    (event,) = events("investigation.ended")
    assert (event.actor, event.detail["by"]) == (None, "time")


def test_nothing_ends_by_itself_before_its_time(opened: Investigation) -> None:
    assert disclosure.end_over() == 0
