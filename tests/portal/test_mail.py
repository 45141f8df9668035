"""Mail leaves in the background."""

import threading
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.test import override_settings

from portal.mail import BackgroundBackend

GATE = threading.Event()
SENT: list[str] = []
DONE = threading.Event()


class SlowBackend(BaseEmailBackend):
    """A mail server that takes its time, and refuses one subject."""

    def send_messages(self, email_messages: Any) -> int:
        """Wait for the gate."""
        assert GATE.wait(10)
        for message in email_messages:
            if message.subject == "refused":
                DONE.set()
                raise ConnectionRefusedError
            SENT.append(message.subject)
        DONE.set()
        return len(email_messages)


@pytest.mark.parametrize(("subject", "sent"), [("hello", ["hello"]), ("refused", [])])
def test_a_slow_or_refusing_mail_server_holds_nobody_up(subject: str, sent: list[str]) -> None:
    for event in (GATE, DONE):
        event.clear()
    SENT.clear()

    with override_settings(MAIL_BACKEND="tests.portal.test_mail.SlowBackend"):
        count = BackgroundBackend().send_messages([EmailMessage(subject)])
        assert not SENT
        GATE.set()
        assert DONE.wait(10)

    assert count == 1
    assert sent == SENT
