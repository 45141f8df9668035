"""The worker is killed."""

import uuid

from django.test import Client
from django.urls import reverse

from chat import services
from chat.models import Deployment, UsageEntry
from tenants.models import Membership
from tests.chat.answers import ask, bills, text_of, wait_for_end, wait_for_text
from tests.chat.held import SENTENCE, THREE_WORDS
from tests.chat.listener import follow
from tests.stack import Stack, wait_until
from tests.upstream import Gate, Silence, Upstream


def test_killed_in_mid_answer_it_leaves_an_honest_end_and_a_working_retry(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream, gate: Gate
) -> None:
    generation = ask(member)
    with follow(stack.url, member, generation) as listener:
        listener.wait_for_text(THREE_WORDS)
        stack.kill(stack.worker)
        stack.worker.start()
        end = listener.wait_for_end()

    assert end == {"status": "interrupted", "error_code": "worker_lost"}
    generation.refresh_from_db()
    assert (generation.status, text_of(generation)) == ("interrupted", THREE_WORDS)
    assert listener.text == THREE_WORDS
    assert bills(generation) == ["estimate"]
    again = services.retry_generation(actor=member, generation=generation, request_id=uuid.uuid4())
    wait_for_end(again)
    assert (again.status, text_of(again)) == ("completed", "Hello from the model.")
    assert UsageEntry.objects.count() == 2


def test_killed_before_the_first_delta_its_run_is_taken_over(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(Silence())
    generation = ask(member)
    upstream.wait_for_requests(1)

    stack.kill(stack.worker)
    stack.worker.start()
    wait_for_end(generation)

    assert (generation.status, text_of(generation)) == ("completed", "Hello from the model.")
    assert (generation.attempt, bills(generation)) == (2, ["counted"])


def test_without_any_worker_a_reader_is_told_the_end(
    stack: Stack,
    member: Membership,
    as_member: Client,
    deployment: Deployment,
    gate: Gate,
) -> None:
    generation = ask(member)
    wait_for_text(generation, THREE_WORDS)
    address = reverse("chat:show_generation", args=["acme", generation.pk])

    stack.kill(stack.worker)

    assert "data-live" in as_member.get(address).text
    wait_until(lambda: "data-live" not in as_member.get(address).text, what="an honest end")
    page = as_member.get(address).text
    assert THREE_WORDS in page
    assert "interrupted because the worker stopped" in page
    assert bills(generation) == ["estimate"]


def test_a_stop_is_kept_when_the_worker_dies_of_it(
    stack: Stack, member: Membership, as_member: Client, deployment: Deployment, gate: Gate
) -> None:
    generation = ask(member)
    wait_for_text(generation, THREE_WORDS)
    stack.kill(stack.worker)
    services.stop_generation(generation=generation)

    address = reverse("chat:show_generation", args=["acme", generation.pk])
    wait_until(lambda: "data-live" not in as_member.get(address).text, what="an honest end")

    generation.refresh_from_db()
    assert (generation.status, text_of(generation)) == ("stopped", THREE_WORDS)
    assert SENTENCE not in text_of(generation)
    assert bills(generation) == ["estimate"]
