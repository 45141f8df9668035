"""What a signed-in person's browser fetches from a running portal, and how long that takes."""

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.test import Client

from tenants.models import User
from tests.bench.levels import percentile


@dataclass(frozen=True)
class Times:
    """Milliseconds of several fetches, at the client."""

    p50: float
    p95: float

    def __str__(self) -> str:
        return f"{self.p50:.1f} / {self.p95:.1f}"


def session_of(user: User) -> str:
    """The cookie of a session in which this person is signed in."""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


class Browser:
    """One kept-open connection, as our scripts use it."""

    def __init__(self, portal: str, user: User) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(portal).netloc)
        cookie = f"{settings.SESSION_COOKIE_NAME}={session_of(user)}"
        self._headers = {"Cookie": cookie, "X-Requested-With": "fetch"}

    def fetch(self, path: str) -> str:
        """The body of the answer, which must be a good one."""
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 200, f"{path}: {answer.status} {body[:200]}"
        return body

    def time(self, path: str, *, rounds: int = 50) -> Times:
        """How long it takes, after some fetches that are not counted."""
        for _ in range(8):  # until the statements are prepared
            self.fetch(path)
        seconds = []
        for _ in range(rounds):
            began = time.perf_counter()
            self.fetch(path)
            seconds.append(1000 * (time.perf_counter() - began))
        return Times(percentile(seconds, 50), percentile(seconds, 95))
