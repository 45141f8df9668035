"""PostgreSQL is restarted."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
from django.urls import reverse

from chat.models import Deployment
from portal.embedded.postgres import Postgres
from tenants.models import Membership
from tests.chat.answers import ask, bills, text_of, wait_for_end
from tests.chat.listener import cookie_of, follow
from tests.faults.conftest import SENTENCE, THREE_WORDS, forget_connections
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


def test_without_it_the_web_process_is_alive_and_says_what_it_lacks(
    stack: Stack, postgres: Postgres, member: Membership, deployment: Deployment
) -> None:
    address = stack.url + reverse("chat:new_conversation", args=["acme"])
    headers = {"Cookie": cookie_of(member)}
    forget_connections()
    postgres.stop()

    with ThreadPoolExecutor(16) as people:
        pages = [people.submit(httpx2.get, address, headers=headers, timeout=60) for _ in range(16)]
        alive = httpx2.get(f"{stack.url}/healthz", timeout=5)
        statuses = {page.result().status_code for page in pages}
    ready = httpx2.get(f"{stack.url}/readyz", timeout=30)

    assert (alive.status_code, statuses, ready.status_code) == (200, {500}, 503)
    assert ready.json()["database"] is False
