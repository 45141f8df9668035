"""The client address in the audit log, over real HTTP: the peer's, or what the gateway says.

The gateway of these tests is whoever comes from 127.0.0.1 (GATEWAY_NETWORKS in tests/stack.py).
"""

import http.client
import re
import socket
from http import HTTPStatus
from urllib.parse import urlencode

import pytest
from django.core.cache import cache

from tenants.models import AuditEvent
from tests.stack import Stack


@pytest.fixture(autouse=True)
def unlimited(transactional_db: None) -> None:
    """Nobody has tried to sign in before."""
    cache.clear()


class Visitor:
    """A browser at one of this machine's addresses, over real HTTP."""

    def __init__(self, stack: Stack, source: str) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", stack.port, timeout=30, source_address=(source, 0)
        )

    def fail_to_sign_in(self, address: str, **headers: str) -> None:
        """Give a wrong password."""
        self._connection.request("GET", "/accounts/login/")
        page = self._connection.getresponse()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        assert token
        cookie = page.headers["Set-Cookie"].split(";")[0]
        fields = {"login": address, "password": "wrong", "csrfmiddlewaretoken": token[1]}
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, **headers}
        self._connection.request("POST", "/accounts/login/", urlencode(fields), sent)
        answer = self._connection.getresponse()
        assert (answer.status, bool(answer.read())) == (HTTPStatus.OK, True)
        self._connection.close()


def address_of(email: str) -> str | None:
    """Where the failed attempt with this address came from, by the log."""
    return AuditEvent.objects.get(detail={"address": email}).client_address


def test_what_the_trusted_gateway_says_is_believed(stack: Stack) -> None:
    gateway = Visitor(stack, "127.0.0.1")

    gateway.fail_to_sign_in("a@example.org", **{"X-Forwarded-For": "203.0.113.7"})
    gateway.fail_to_sign_in("b@example.org", **{"X-Forwarded-For": "198.51.100.1, 203.0.113.8"})
    gateway.fail_to_sign_in("c@example.org", **{"X-Forwarded-For": "[2001:db8::5]:4711"})
    gateway.fail_to_sign_in("d@example.org", **{"X-Forwarded-For": "10.9.9.9, 203.0.113.9:4711"})

    assert address_of("a@example.org") == "203.0.113.7"
    assert address_of("b@example.org") == "203.0.113.8"
    assert address_of("c@example.org") == "2001:db8::5"
    assert address_of("d@example.org") == "203.0.113.9"


@pytest.fixture
def elsewhere() -> str:
    """An address of this machine that is not the trusted gateway's."""
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.2", 0))
        except OSError:
            pytest.skip("this system has no 127.0.0.2")
    return "127.0.0.2"


def test_what_a_browser_says_of_itself_changes_nothing(stack: Stack, elsewhere: str) -> None:
    browser = Visitor(stack, elsewhere)

    browser.fail_to_sign_in(
        "a@example.org",
        **{
            "X-Forwarded-For": "203.0.113.7",
            "X-Real-Ip": "203.0.113.7",
            "Forwarded": "for=203.0.113.7",
        },
    )

    assert address_of("a@example.org") == elsewhere
