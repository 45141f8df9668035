"""Valkey (broker and relay) is killed, comes back, or does not."""

import shutil
import uuid

import httpx2
import pytest
from django.urls import reverse

from chat.models import Deployment, Generation
from portal.embedded.valkey import Valkey
from tenants.models import Membership
from tests.chat.answers import ask, bills, text_of, wait_for_end
from tests.chat.held import SENTENCE, THREE_WORDS
from tests.chat.listener import cookie_of, follow
from tests.faults.conftest import crash
from tests.stack import Stack
from tests.upstream import Gate, Upstream


@pytest.mark.parametrize("is_empty", [False, True], ids=["with its data", "without its data"])
def test_killed_in_mid_answer_and_back_the_stream_goes_on(
    stack: Stack,
    valkey: Valkey,
    member: Membership,
    deployment: Deployment,
    gate: Gate,
    is_empty: bool,
) -> None:
    generation = ask(member)
    with follow(stack.url, member, generation) as listener:
        listener.wait_for_text(THREE_WORDS)
        crash(valkey)
        if is_empty:
            shutil.rmtree(valkey.folder / "appendonlydir")
        valkey.restart()
        gate.open()
        end = listener.wait_for_end()

    generation.refresh_from_db()
    assert (generation.status, text_of(generation)) == ("completed", SENTENCE)
    assert (end["status"], listener.text) == ("completed", SENTENCE)
    assert bills(generation) == ["counted"]


def test_away_to_the_end_it_costs_no_text_and_the_end_is_told(
    stack: Stack, valkey: Valkey, member: Membership, deployment: Deployment, gate: Gate
) -> None:
    generation = ask(member)
    with follow(stack.url, member, generation) as listener:
        listener.wait_for_text(THREE_WORDS)
        crash(valkey)
        gate.open()
        wait_for_end(generation)
        end = listener.wait_for_end()

    assert (generation.status, text_of(generation)) == ("completed", SENTENCE)
    assert (end["status"], listener.text) == ("completed", SENTENCE)
    assert bills(generation) == ["counted"]


def test_a_message_sent_without_it_is_stored_and_answered_later(
    stack: Stack, valkey: Valkey, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    crash(valkey)

    sent = start_conversation(stack, member, "Are you there?")

    generation = Generation.objects.get()
    assert (sent.status_code, generation.status) == (201, "queued")
    assert httpx2.get(f"{stack.url}/readyz").status_code == 503
    page = httpx2.get(
        f"{stack.url}{sent.headers['Location']}", headers={"Cookie": cookie_of(member)}
    )
    assert "Are you there?" in page.text
    valkey.restart()
    wait_for_end(generation)
    assert (generation.status, text_of(generation)) == ("completed", "Hello from the model.")


def start_conversation(stack: Stack, member: Membership, text: str) -> httpx2.Response:
    """Send a first message as the page's script does."""
    with httpx2.Client(base_url=stack.url) as browser:
        browser.headers["Cookie"] = cookie_of(member)
        page = browser.get(reverse("chat:new_conversation", args=["acme"]))
        token = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        browser.headers["Cookie"] += f"; csrftoken={page.cookies['csrftoken']}"
        return browser.post(
            reverse("chat:start_conversation", args=["acme"]),
            data={"message": text, "request_id": str(uuid.uuid4()), "csrfmiddlewaretoken": token},
            headers={"X-Requested-With": "fetch"},
        )
