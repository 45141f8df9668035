"""The page on which a conversation is read for an investigation."""

from http import HTTPStatus

import pytest
from django.test import Client

from chat import services
from chat.models import Conversation, Investigation, Message
from tenants.models import Membership
from tests.admin import administrator, as_admin
from tests.chat.investigating import (
    REASON,
    SECRETS,
    as_owner,
    assert_secret,
    browser_of,
    events,
    opened,
    over,
    page,
    say,
    words,
)

__all__ = ["administrator", "as_admin", "as_owner", "opened", "over", "words"]  # fixtures

pytestmark = pytest.mark.usefixtures("words")


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
    assert first.detail["investigation"] == str(opened.pk)
    assert first.detail["part"] == "1 of 1"
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
