"""An owner whose conversation is investigated hears of it when any member would, not before."""

import asyncio
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat import disclosure, services
from chat.errors import OwnConversation
from chat.models import Conversation, Investigation
from tenants.models import Membership, User
from tenants.rights import AdminAccess
from tenants.services import record
from tests.admin import administrator, as_admin
from tests.chat.investigating import ask, browser_of, events, page, pass_time

__all__ = ["administrator", "as_admin"]  # fixtures

LIST = "/admin/chat/investigation/"
LOG = "/admin/tenants/auditevent/"


@pytest.fixture
def bob(member: Membership) -> Client:
    """A browser of bob, who is an owner too."""
    Membership.objects.filter(pk=member.pk).update(role="owner")
    return browser_of(member.user)


@pytest.fixture(params=["owner", "platform administrator"])
def reader(request: Any, owner: Membership, administrator: User) -> Client:
    """A browser of who may read bob's conversation: another owner, or the administrator."""
    return browser_of(owner.user if request.param == "owner" else administrator)


@pytest.fixture
def opened(bob: Client, reader: Client, conversation: Conversation) -> Investigation:
    """Bob's conversation, opened and read."""
    ask(reader, conversation.pk)
    investigation = Investigation.objects.get()
    reader.get(page(investigation))
    return investigation


def rows(client: Client, address: str) -> list[Any]:
    """The rows of this list."""
    return list(client.get(address).context["cl"].result_list)


def logged(client: Client) -> list[str]:
    """What the audit log shows of investigations."""
    return [e.action for e in rows(client, LOG) if "invest" in e.action or "read" in e.action]


def test_they_neither_see_nor_end_it_before_they_are_told(
    bob: Client, opened: Investigation
) -> None:
    assert rows(bob, LIST) == []
    for name in ("change", "read", "history", "end"):
        asking = bob.post if name == "end" else bob.get
        assert str(opened.reason) not in asking(page(opened, name)).content.decode(), name
    opened.refresh_from_db()
    assert opened.is_open
    assert events("investigation.ended") == []


def test_the_service_does_not_let_the_member_end_it(
    member: Membership, bob: Client, opened: Investigation
) -> None:
    member.refresh_from_db()

    with pytest.raises(OwnConversation):
        services.end_investigation(access=AdminAccess(member.user, [member]), investigation=opened)

    opened.refresh_from_db()
    assert opened.is_open


def test_another_owner_sees_it_and_may_end_it(colleague: Membership, opened: Investigation) -> None:
    Membership.objects.filter(pk=colleague.pk).update(role="owner")
    client = browser_of(colleague.user)

    assert rows(client, LIST) == [opened]
    client.post(page(opened, "end"))

    opened.refresh_from_db()
    assert not opened.is_open


def test_afterwards_they_see_it(bob: Client, opened: Investigation) -> None:
    pass_time(opened, minutes=16)

    assert rows(bob, LIST) == [opened]


# ── The audit log ──────────────────────────────────────────────────────────────────────────────
def test_their_audit_log_keeps_it_from_them_until_they_are_told(
    bob: Client, reader: Client, opened: Investigation
) -> None:
    assert [str(opened.member_id)] * 2 == [event.detail["member"] for event in events()]
    assert logged(bob) == []
    assert set(logged(reader)) == {"investigation.opened", "conversation.read"}
    for event in events():
        detail = bob.get(reverse("admin:tenants_auditevent_change", args=[event.pk]))
        assert detail.status_code == 302

    reader.post(page(opened, "end"))

    (ended,) = events("investigation.ended")
    assert ended.detail["told_from"] < events("investigation.opened")[0].detail["told_from"]
    assert logged(bob) == ["investigation.ended"]


def test_an_end_by_time_is_kept_from_them_as_long_as_the_tenant_says(
    bob: Client, reader: Client, opened: Investigation, conversation: Conversation
) -> None:
    pass_time(opened, minutes=16)
    Investigation.objects.update(notify_at=opened.notify_at.replace(year=2999))

    disclosure.end_over()

    assert logged(bob) == []
    assert "investigation.ended" in logged(reader)


@pytest.mark.django_db(transaction=True)
def test_the_export_keeps_it_from_them_too(
    bob: Client, reader: Client, opened: Investigation
) -> None:
    def export(client: Client) -> str:
        response: Any = client.get(reverse("admin:tenants_auditevent_export", args=["jsonl"]))

        async def collect() -> bytes:
            return b"".join([part async for part in response])

        return asyncio.run(collect()).decode()

    assert "conversation.read" in export(reader)
    theirs = export(bob)
    assert theirs.count("\n") >= 1
    assert "conversation.read" not in theirs
    assert "investigation.opened" not in theirs


def test_what_the_log_has_besides_is_kept_from_nobody(
    bob: Client, opened: Investigation, member: Membership
) -> None:
    record("thing.done", tenant=member.tenant)
    record("member.thing-done", tenant=member.tenant, member=str(member.user_id))
    record("other.thing-done", tenant=member.tenant, told_from="2999", member="somebody else")

    shown = {event.action for event in rows(bob, LOG)}

    assert shown >= {"thing.done", "member.thing-done", "other.thing-done"}
