"""PostgreSQL is restarted."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx2
from django.urls import reverse

from chat.models import Deployment
from portal.embedded.postgres import Postgres
from tenants.models import Membership
from tests.chat.answers import ask, bills, text_of, wait_for_end
from tests.chat.held import SENTENCE, THREE_WORDS
from tests.chat.listener import cookie_of, follow
from tests.faults.conftest import forget_connections
from tests.stack import Stack
from tests.upstream import Gate


def test_away_at_the_end_of_an_answer_the_answer_is_stored_when_it_is_back(
    stack: Stack, postgres: Postgres, member: Membership, deployment: Deployment, gate: Gate
) -> None:
    generation = ask(member)
    cookie = cookie_of(member)
    with follow(stack.url, member, generation) as listener:
        listener.wait_for_text(THREE_WORDS)
        forget_connections()
        postgres.stop()
        gate.open()
        listener.wait_for_text(SENTENCE)
        postgres.restart()
        end = listener.wait_for_end()

    wait_for_end(generation)
    assert (generation.status, text_of(generation)) == ("completed", SENTENCE)
    assert (end["status"], bills(generation)) == ("completed", ["counted"])
    pages = [
        httpx2.get(
            stack.url + reverse("chat:new_conversation", args=["acme"]), headers={"Cookie": cookie}
        ).status_code
        for _ in range(4)
    ]
    assert pages == [200] * 4


def test_after_a_restart_the_first_page_is_served(
    stack: Stack, postgres: Postgres, member: Membership, deployment: Deployment
) -> None:
    address = stack.url + reverse("chat:new_conversation", args=["acme"])
    headers = {"Cookie": cookie_of(member)}
    assert httpx2.get(address, headers=headers).status_code == 200

    forget_connections()
    postgres.stop()
    postgres.restart()

    assert httpx2.get(address, headers=headers).status_code == 200


def test_without_it_the_web_process_is_alive_though_everybody_waits(
    stack: Stack, postgres: Postgres, member: Membership, deployment: Deployment
) -> None:
    address = stack.url + reverse("chat:new_conversation", args=["acme"])
    headers = {"Cookie": cookie_of(member)}
    forget_connections()
    postgres.stop()

    def wait_for_a_page() -> None:
        with suppress(httpx2.TimeoutException):
            httpx2.get(address, headers=headers, timeout=3)

    with ThreadPoolExecutor(16) as people:
        waiting = [people.submit(wait_for_a_page) for _ in range(16)]
        while not all(page.done() for page in waiting):
            assert httpx2.get(f"{stack.url}/healthz", timeout=2).status_code == 200
