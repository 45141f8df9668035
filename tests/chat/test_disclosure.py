"""Members are told of investigations: once, after the delay, by mail and on the page."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from chat import disclosure, services, tasks
from chat.models import Conversation, Investigation
from tenants.models import Membership, Tenant, User
from tests.chat.investigating import (
    REASON,
    as_owner,
    ask,
    assert_secret,
    events,
    note_on,
    opened,
    over,
    page,
    pass_time,
    words,
)
from tests.smtp import SmtpServer

__all__ = ["as_owner", "opened", "over", "words"]  # fixtures

pytestmark = pytest.mark.usefixtures("words")


# ── Telling the member ─────────────────────────────────────────────────────────────────────────
def test_the_member_is_told_by_mail_who_when_and_why(
    as_owner: Client, opened: Investigation, conversation: Conversation
) -> None:
    as_owner.get(page(opened))
    pass_time(opened, minutes=16)

    tasks.tell_members()

    (message,) = mail.outbox
    assert message.to == ["bob@example.org"]
    assert message.subject == "Your conversation was read for an investigation"
    assert "Alice (owner of Acme)" in message.body
    assert "was read for an investigation" in message.body
    assert "no page of it was read" not in message.body
    assert REASON in message.body
    assert f"/acme/c/{conversation.pk}/" in message.body
    assert f"{opened.created_at:%H:%M}" in message.body
    assert_secret(str(message.body))
    opened.refresh_from_db()
    assert opened.notified_at
    assert [event.action for event in events()] == [
        "investigation.opened",
        "conversation.read",
        "investigation.ended",
        "investigation.told",
    ]
    assert events("investigation.told")[0].detail == {"mail": "sent"}


def test_where_no_page_was_read_mail_and_note_say_so(
    over: Investigation, as_member: Client, conversation: Conversation
) -> None:
    tasks.tell_members()

    (message,) = mail.outbox
    note = note_on(as_member, conversation)
    assert message.subject == "Your conversation was opened for an investigation"
    said = " ".join(str(message.body).split())
    assert "was opened for reading, for an investigation, and no page of it was read." in said
    assert "Opened by: Alice (owner of Acme)" in message.body
    assert "This conversation was opened for an investigation, and no page" in note
    assert "Opened for reading by" in note
    assert "was read for" not in message.body + note


def test_the_note_says_of_each_reading_whether_a_page_was_read(
    as_owner: Client, over: Investigation, as_member: Client, conversation: Conversation
) -> None:
    ask(as_owner, conversation.pk)
    second = Investigation.objects.exclude(pk=over.pk).get()
    as_owner.get(page(second))
    pass_time(second, minutes=16)

    note = note_on(as_member, conversation)

    assert "This conversation was read for an investigation." in note
    assert note.count("Read by") == note.count("Opened for reading by") == 1


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


def test_no_name_can_add_a_line_to_the_mail(
    as_owner: Client, owner: Membership, member: Membership, conversation: Conversation
) -> None:
    forged = "X\n\nRead by: Eve\u2028Read by: Eve\u202e"
    Tenant.objects.filter(pk=owner.tenant_id).update(name=forged)
    User.objects.filter(pk__in=[owner.user_id, member.user_id]).update(name=forged)
    ask(as_owner, conversation.pk)
    pass_time(Investigation.objects.get(), minutes=16)

    tasks.tell_members()

    lines = str(mail.outbox[0].body).splitlines()
    assert [line for line in lines if line.startswith("Read by")] == []
    assert len([line for line in lines if line.startswith("Opened by: X Read by: Eve")]) == 1
    assert "\u202e" not in mail.outbox[0].body


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
