"""Logs: one JSON object a line, with what it is about, and never what was said."""

import json
import logging
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Conversation
from portal.logging import HideTokens, JsonFormatter
from tenants.logcontext import logging_about


def line(**fields: object) -> dict[str, object]:
    """The parsed line of a record with these attributes."""
    record = logging.makeLogRecord({"msg": "went %s", "args": ("well",), **fields})
    parsed: dict[str, object] = json.loads(JsonFormatter().format(record))
    return parsed


def test_a_line_carries_the_context_and_the_extras() -> None:
    with logging_about(request="r-1", tenant="acme"):
        parsed = line(levelname="INFO", name="chat", status="completed")

    assert parsed["message"] == "went well"
    assert (parsed["request"], parsed["tenant"]) == ("r-1", "acme")
    assert parsed["status"] == "completed"
    assert "request" not in line()


def test_the_request_id_is_kept_where_django_adds_the_request() -> None:
    with logging_about(request="r-1"):
        parsed = line(request="<ASGIRequest: GET '/acme/c/?q=secret'>")

    assert parsed["request"] == "r-1"
    assert "secret" not in str(line(request="<ASGIRequest: GET '/acme/c/?q=secret'>"))


def test_a_message_of_several_lines_is_one_line() -> None:
    record = logging.makeLogRecord({"msg": "one\ntwo\u2028three"})

    assert len(JsonFormatter().format(record).split("\n")) == 1


def test_message_text_is_not_logged(
    as_member: Client, conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = reverse("chat:send_message", args=["acme", conversation.pk])

    as_member.post(url, {"message": "the secret plan", "request_id": str(uuid.uuid4())})
    as_member.get(reverse("chat:show_conversation", args=["acme", conversation.pk]))

    sql = {"django.db.backends"}
    ours = [record for record in caplog.records if record.name not in sql]
    assert not any("secret plan" in record.getMessage() for record in ours)


@pytest.mark.parametrize(
    ("sent", "is_kept"), [("abcd-1234", True), ("x", False), ("a\nb" * 9, False)]
)
def test_a_sent_request_id_is_kept_when_it_is_plain(
    client: Client, db: None, sent: str, *, is_kept: bool
) -> None:
    answer = client.get("/accounts/login/", headers={"X-Request-Id": sent})

    assert (answer["X-Request-Id"] == sent) is is_kept


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("Forbidden (%s): %s", ("CSRF token missing.", "/invitations/s3cret/")),
        ("Internal Server Error: /invitations/s3cret/?x=1", ()),
        ("GET https://portal.example%s from 'x'", ("/invitations/s3cret/",)),
        ("POST %s", ("/accounts/password/reset/key/2x-s3cret/",)),
    ],
)
def test_the_address_of_a_secret_link_is_logged_without_its_secret(
    text: str, args: tuple[str, ...]
) -> None:
    record = logging.LogRecord("django", logging.WARNING, "", 1, text, args, None)

    assert HideTokens().filter(record)

    assert "s3cret" not in record.getMessage()
    assert "…" in record.getMessage()


def test_a_line_whose_arguments_do_not_fit_is_left_to_its_handler() -> None:
    record = logging.LogRecord("django", logging.WARNING, "", 1, "%s %s", ("one",), None)

    assert HideTokens().filter(record)
