"""Break-glass: one conversation, one reader, a written reason, a while; and the member is told."""

import logging
import threading
import uuid
from collections.abc import Iterator
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import disclosure, services, tasks
from chat.models import Conversation, Investigation, Message
from tenants.models import AuditEvent, Membership, Tenant, User
from tests.admin import administrator, as_admin
from tests.client import PortalClient
from tests.smtp import SmtpServer

__all__ = ["administrator", "as_admin"]  # fixtures

REASON = "A complaint about case 4711"
SECRETS = ("Good morning", "Quarterly layoffs", "a pirate's voice", "the hidden answer")
ADD = "/admin/chat/investigation/add/"


@pytest.fixture(autouse=True)
def words(conversation: Conversation) -> None:
    """Something to keep secret, in every place of bob's conversation."""
    Conversation.objects.update(title=SECRETS[1], system_prompt=SECRETS[2])
    prompt = Message.objects.get()
    Message.objects.create(
        tenant=prompt.tenant, conversation=conversation, parent=prompt, role="assistant",
        content=SECRETS[3],
    )  # fmt: skip


@pytest.fixture
def as_owner(owner: Membership) -> Client:
    """A browser in which alice is signed in."""
    return browser_of(owner.user)


def browser_of(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = PortalClient()
    client.force_login(user)
    return client


def ask(client: Client, conversation_id: object, reason: str = REASON) -> Any:
    """Ask to read this conversation."""
    return client.post(ADD, {"conversation": str(conversation_id), "reason": reason})


def page(investigation: Investigation, name: str = "read") -> str:
    """An address of this investigation."""
    return reverse(f"admin:chat_investigation_{name}", args=[investigation.pk])


@pytest.fixture
def opened(as_owner: Client, conversation: Conversation) -> Investigation:
    """Bob's conversation, opened by alice."""
    response = ask(as_owner, conversation.pk)
    assert response.status_code == HTTPStatus.FOUND
    return Investigation.objects.get()


@pytest.fixture
def over(opened: Investigation) -> Investigation:
    """The same, when its time is over."""
    pass_time(opened, minutes=16)
    return opened


def pass_time(investigation: Investigation, **time: int) -> None:
    """Let this much time pass for the investigation."""
    passed = timedelta(**time)
    investigation.refresh_from_db()
    for name in ("created_at", "expires_at", "notify_at"):
        setattr(investigation, name, getattr(investigation, name) - passed)
    investigation.save()


def events(*actions: str) -> list[AuditEvent]:
    """What the log has about investigations, or these actions, in order."""
    about = AuditEvent.objects.filter(action__regex=r"^(investigation\.|conversation\.read)")
    found = about.order_by("tenant", "sequence").select_related("tenant", "actor")
    return [event for event in found if not actions or event.action in actions]


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
    assert event.detail["role"] == "owner of Acme"


def test_a_platform_administrator_opens_one_and_the_tenants_log_has_it(
    as_admin: Client, conversation: Conversation
) -> None:
    ask(as_admin, conversation.pk)

    (event,) = events()
    assert (event.tenant, event.detail["role"]) == (conversation.tenant, "platform administrator")


@pytest.mark.parametrize("reason", ["", "   ", "too short", "a         b", "x" * 2001])
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


# ── Reading ────────────────────────────────────────────────────────────────────────────────────
def test_the_page_shows_everything_and_who_reads_until_when_and_why(
    as_owner: Client, opened: Investigation
) -> None:
    response = as_owner.get(page(opened))

    shown = response.content.decode()
    assert [secret for secret in SECRETS if secret.replace("'", "&#x27;") not in shown] == []
    assert REASON in shown
    assert "Alice" in shown
    assert f"{opened.expires_at:%H:%M:%S}" in shown
    assert "no-store" in response["Cache-Control"]
    assert '<meta http-equiv="refresh" content="' in shown


def test_every_view_is_written_down(
    as_owner: Client, opened: Investigation, conversation: Conversation
) -> None:
    as_owner.get(page(opened))
    as_owner.get(page(opened))

    first, second = events("conversation.read")
    assert first.subject == second.subject == f"chat.conversation:{conversation.pk}"
    assert first.detail == {"investigation": str(opened.pk), "part": "1 of 1"}
    assert first.client_address == "127.0.0.1"
    assert first.request_id != second.request_id


def test_only_the_person_who_opened_it_reads_it(
    as_admin: Client, colleague: Membership, opened: Investigation
) -> None:
    Membership.objects.filter(pk=colleague.pk).update(role="owner")

    for client in (as_admin, browser_of(colleague.user)):
        assert client.get(page(opened, "change")).status_code == HTTPStatus.OK
        assert client.get(page(opened)).status_code == HTTPStatus.FORBIDDEN
    assert events("conversation.read") == []


def test_who_loses_the_right_meanwhile_reads_no_longer(
    as_owner: Client, owner: Membership, opened: Investigation
) -> None:
    Membership.objects.filter(pk=owner.pk).update(role="manager")

    assert as_owner.get(page(opened)).status_code in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}


def test_after_its_time_the_page_is_gone(as_owner: Client, over: Investigation) -> None:
    response = as_owner.get(page(over))

    assert response.status_code == HTTPStatus.GONE
    assert_secret(response.content.decode())
    assert "no-store" in response["Cache-Control"]
    assert events("conversation.read") == []


def test_when_the_member_has_deleted_the_conversation_the_page_says_so(
    as_owner: Client, opened: Investigation, member: Membership, conversation: Conversation
) -> None:
    services.delete_conversation(actor=member, conversation=conversation)

    response = as_owner.get(page(opened))

    assert response.status_code == HTTPStatus.GONE
    assert "deleted" in response.content.decode()


def test_it_is_read_only(as_owner: Client, opened: Investigation) -> None:
    for address in (page(opened), page(opened, "change"), page(opened, "delete")):
        status = as_owner.post(address, {"reason": "another one", "post": "yes"}).status_code
        assert status in {HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED}, address
    opened.refresh_from_db()
    assert opened.reason == REASON


def test_what_was_written_is_plain_text(
    as_owner: Client, opened: Investigation, conversation: Conversation
) -> None:
    evil = '<img src=x onerror=alert(1)> <a href="https://evil.example">x</a> {{7*7}} [a](b)'
    Message.objects.update(content=evil)
    Conversation.objects.update(title=evil, system_prompt=evil)

    shown = as_owner.get(page(opened)).content.decode()

    assert "<img src=x" not in shown
    assert "evil.example</a>" not in shown
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "{{7*7}} [a](b)" in shown


def test_every_branch_is_shown_and_where_it_begins(
    as_owner: Client, opened: Investigation, conversation: Conversation
) -> None:
    prompt = Message.objects.get(role="user")
    for number in (1, 2):
        say(conversation, prompt, f"Other answer {number}")
    say(conversation, None, "Another beginning", role="user")

    entries = as_owner.get(page(opened)).context["reading"].entries

    assert [(e.number, e.after, e.is_branch, e.message.content) for e in entries] == [
        (1, None, False, "Good morning"),
        (2, 1, False, SECRETS[3]),
        (3, 1, True, "Other answer 1"),
        (4, 1, True, "Other answer 2"),
        (5, None, True, "Another beginning"),
    ]


def say(
    conversation: Conversation, parent: Message | None, text: str, role: str = "assistant"
) -> Message:
    """A further message of the conversation."""
    return Message.objects.create(
        tenant=conversation.tenant, conversation=conversation, parent=parent, role=role,
        content=text,
    )  # fmt: skip


def test_a_long_conversation_is_read_in_pages_and_each_is_written_down(
    as_owner: Client, opened: Investigation, conversation: Conversation
) -> None:
    last = Message.objects.get(role="assistant")
    for number in range(3, 205):
        last = say(conversation, last, f"Message {number}.")

    shown = as_owner.get(page(opened), {"part": "3"}).content.decode()

    assert "Message 200." not in shown
    assert "Message 201." in shown
    assert "204 messages, page 3 of 3" in shown
    assert events("conversation.read")[-1].detail["part"] == "3 of 3"


@pytest.mark.parametrize(
    ("part", "expected"), [("0", 1), ("99", 1), ("-1", 1), ("x", 1), ("²", 1), ("9" * 5000, 1)]
)
def test_a_page_that_is_not_there_is_the_nearest(
    as_owner: Client, opened: Investigation, part: str, expected: int
) -> None:
    assert as_owner.get(page(opened), {"part": part}).context["reading"].part == expected


# ── What the admin shows besides ───────────────────────────────────────────────────────────────
def assert_secret(text: str) -> None:
    """No word of the conversation is in it."""
    assert [secret for secret in SECRETS if secret in text] == []


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
    assert_secret(str(list(LogEntry.objects.values())))
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
    assert (event.actor, event.detail) == (owner.user, {"by": "hand"})
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
    assert (event.actor, event.detail) == (None, {"by": "time"})


def test_nothing_ends_by_itself_before_its_time(opened: Investigation) -> None:
    assert disclosure.end_over() == 0


# ── Telling the member ─────────────────────────────────────────────────────────────────────────
def test_the_member_is_told_by_mail_who_when_and_why(
    over: Investigation, conversation: Conversation
) -> None:
    tasks.tell_members()

    (message,) = mail.outbox
    assert message.to == ["bob@example.org"]
    assert message.subject == "Your conversation was read for an investigation"
    assert "Alice (owner of Acme)" in message.body
    assert REASON in message.body
    assert f"/acme/c/{conversation.pk}/" in message.body
    assert f"{over.created_at:%H:%M}" in message.body
    assert_secret(message.body)
    over.refresh_from_db()
    assert over.notified_at
    assert [event.action for event in events()] == [
        "investigation.opened",
        "investigation.ended",
        "investigation.told",
    ]
    assert events("investigation.told")[0].detail == {"mail": "sent"}


def test_the_member_is_told_once(over: Investigation) -> None:
    tasks.tell_members()
    tasks.tell_members()

    assert len(mail.outbox) == len(events("investigation.told")) == 1


def test_the_member_is_not_told_while_it_is_open(opened: Investigation) -> None:
    tasks.tell_members()

    assert mail.outbox == []


def test_the_member_is_told_after_the_delay_that_was_set_at_the_opening(
    as_owner: Client, as_member: Client, owner: Membership, conversation: Conversation
) -> None:
    Tenant.objects.filter(pk=owner.tenant_id).update(investigation_notice_days=30)
    ask(as_owner, conversation.pk)
    Tenant.objects.filter(pk=owner.tenant_id).update(investigation_notice_days=365)
    opened = Investigation.objects.get()

    pass_time(opened, days=29)
    assert disclosure.tell_members() == 0
    assert note_on(as_member, conversation) == ""
    pass_time(opened, days=2)
    assert disclosure.tell_members() == 1
    assert REASON in note_on(as_member, conversation)


def test_what_was_said_is_inert_in_the_mail(
    as_owner: Client, owner: Membership, conversation: Conversation
) -> None:
    Tenant.objects.filter(pk=owner.tenant_id).update(name="A\r\nBcc: eve@example.org")
    User.objects.filter(pk=owner.user_id).update(name="<b>Al\r\nice</b>")
    ask(as_owner, conversation.pk, "First line of it\nBcc: eve@example.org\n<script>")
    pass_time(Investigation.objects.get(), minutes=16)

    tasks.tell_members()

    (message,) = mail.outbox
    assert message.recipients() == ["bob@example.org"]
    assert message.message().get_content_type() == "text/plain"
    assert "<script>" in message.body


def test_after_the_conversation_is_deleted_the_member_is_told_all_the_same(
    over: Investigation, member: Membership, conversation: Conversation
) -> None:
    services.delete_conversation(actor=member, conversation=conversation)

    tasks.tell_members()

    assert "The conversation is no longer there." in mail.outbox[0].body
    assert "/c/" not in mail.outbox[0].body


# ── The mail server ────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def smtp(settings: Any) -> Iterator[SmtpServer]:
    """A mail server that mail goes to."""
    with SmtpServer() as server:
        settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_TIMEOUT = 5
        yield server


@pytest.mark.parametrize("answer", ["451 Try later", "421 Closing", ""])
def test_what_the_mail_server_does_not_take_is_sent_the_next_minute(
    over: Investigation, smtp: SmtpServer, answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    smtp.answer_to_recipient = answer
    tasks.tell_members()
    over.refresh_from_db()
    assert over.notified_at is None
    assert events("investigation.told") == []
    assert "bob@example.org" not in caplog.text

    smtp.answer_to_recipient = "250 OK"
    tasks.tell_members()

    assert len(smtp.messages) == 1
    assert [e.detail for e in events("investigation.told")] == [{"mail": "sent"}]


def test_a_mail_server_that_is_away_delays_nothing_else(
    over: Investigation, as_member: Client, conversation: Conversation, settings: Any
) -> None:
    settings.MAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9

    tasks.tell_members()

    assert [event.action for event in events()][-1] == "investigation.ended"
    assert REASON in note_on(as_member, conversation)


def test_an_address_that_is_refused_for_good_is_not_tried_for_ever(
    over: Investigation, smtp: SmtpServer
) -> None:
    smtp.answer_to_recipient = "550 No such user"

    tasks.tell_members()
    tasks.tell_members()

    assert [e.detail for e in events("investigation.told")] == [{"mail": "refused"}]
    assert smtp.connections == 1


@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_send_one_mail(over: Investigation, smtp: SmtpServer) -> None:
    def sweep() -> None:
        try:
            tasks.tell_members()
        finally:
            connection.close()

    sweeps = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in sweeps:
        thread.start()
    for thread in sweeps:
        thread.join(timeout=60)

    assert len(smtp.messages) == 1
    assert [event.action for event in events()].count("investigation.ended") == 1
    assert len(events("investigation.told")) == 1


# ── The note on the page ───────────────────────────────────────────────────────────────────────
def note_on(client: Client, conversation: Conversation) -> str:
    """What the conversation's page says of investigations; "" for nothing."""
    address = reverse("chat:show_conversation", args=["acme", conversation.pk])
    shown = client.get(address).content.decode()
    return shown.partition("data-investigated")[2].partition("</ul>")[0]


def test_the_conversations_page_says_who_read_it_when_and_why(
    over: Investigation, as_member: Client, conversation: Conversation
) -> None:
    note = note_on(as_member, conversation)

    assert "Alice (owner of Acme)" in note
    assert REASON in note


def test_the_page_says_nothing_while_it_is_open(
    opened: Investigation, as_member: Client, conversation: Conversation
) -> None:
    assert note_on(as_member, conversation) == ""


def test_the_note_names_what_the_reader_was_then(
    over: Investigation, owner: Membership, as_member: Client, conversation: Conversation
) -> None:
    Membership.objects.filter(pk=owner.pk).delete()

    assert "Alice (owner of Acme)" in note_on(as_member, conversation)


def test_a_reason_is_inert_on_the_page(
    over: Investigation, as_member: Client, conversation: Conversation
) -> None:
    Investigation.objects.update(reason="<script>alert(1)</script>")
    User.objects.filter(email="alice@example.org").update(name="<b>Alice</b>")

    note = note_on(as_member, conversation)

    assert "<script>alert" not in note
    assert "<b>Alice" not in note
