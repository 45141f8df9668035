"""How mail is sent."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)


class BackgroundBackend(BaseEmailBackend):
    """Sends through MAIL_BACKEND in the background; what cannot be sent is logged.

    A slow mail server then blocks no request, and how long an answer takes does not tell whether
    an address is known.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Take these messages; returns how many."""
        _post_office().submit(_send, list(email_messages))
        return len(email_messages)


@cache
def _post_office() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, thread_name_prefix="mail")


def _send(messages: list[EmailMessage]) -> None:
    try:
        get_connection(settings.MAIL_BACKEND).send_messages(messages)
    except OSError:
        logger.exception("mail not sent")
