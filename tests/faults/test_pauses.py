"""A provider refuses or is away: its deployment is paused for all, and tried again by one."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from chat import services, tasks
from chat.errors import ProviderError
from chat.generation import pausing
from chat.generation.claiming import claim_next
from chat.models import Deployment, DeploymentGrant, Generation, Pause, UsageEntry
from tenants.models import Membership
from tests.chat.answers import ask, bills, text_of, wait_for_end
from tests.conftest import Queue
from tests.stack import Stack, wait_until
from tests.upstream import Gate, Refusal, Reply, Request, Upstream, refusals


@pytest.fixture
def other(member: Membership, deployment: Deployment, upstream: Upstream) -> Deployment:
    """Another model of the tenant's, with other prices."""
    other = Deployment.objects.create(
        name="other", label="Other model", kind="openai", model="other-1",
        endpoint=upstream.base_url, context_window=8192,
        input_price=Decimal(3), output_price=Decimal(7),
    )  # fmt: skip
    DeploymentGrant.objects.create(tenant=member.tenant, deployment=other)
    return other


def calls_of(upstream: Upstream, deployment: Deployment) -> list[Request]:
    """The calls of this deployment that arrived."""
    return [each for each in upstream.requests if each.body["model"] == deployment.model]


def wait_for_pause() -> Pause:
    """The pause, once there is one."""
    wait_until(Pause.objects.exists, what="a pause")
    return Pause.objects.select_related("deployment").get()


def ask_of(deployment: Deployment, actor: Membership) -> Generation:
    """A message to this model, rather than to the tenant's default."""
    conversation = services.start_conversation(
        actor=actor, text="elsewhere", request_id=uuid.uuid4(), deployment_id=deployment.pk
    )
    return conversation.generations.select_related("deployment", "conversation").get()


def test_a_refusal_pauses_the_model_for_all_workers_and_one_probe_ends_it(
    stack: Stack,
    member: Membership,
    deployment: Deployment,
    other: Deployment,
    upstream: Upstream,
) -> None:
    gate = Gate()
    upstream.next(refusals.rate_limited(60))
    asked = [ask(member, "refused")]
    pause = wait_for_pause()
    upstream.next(Reply("Elsewhere"), Reply("The probe", gate=gate))

    # Another worker, which is this process, takes nothing; and another model goes on.
    asked += [ask(member, f"waiting {number}") for number in range(5)]
    assert claim_next() is None
    elsewhere = ask_of(other, member)
    wait_for_end(elsewhere)
    assert (text_of(elsewhere), len(calls_of(upstream, deployment))) == ("Elsewhere", 1)

    # The time is over: one of the six tries it, and the others wait for what it meets.
    assert pausing.end_wait(pause.deployment)
    wait_until(lambda: len(calls_of(upstream, deployment)) == 2, what="the probe's call")
    for _ in range(5):
        tasks.generate.delay()
    assert claim_next() is None
    assert Generation.objects.queued().count() == 5

    gate.open()
    wait_for_end(*asked)
    assert {text_of(generation) for generation in asked} == {"The probe", "Hello from the model."}
    assert [bills(generation) for generation in asked] == [["counted"]] * 6
    assert len(calls_of(upstream, deployment)) == 7
    assert not Pause.objects.exists()


def test_nobody_calls_before_the_provider_allows_it(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(refusals.rate_limited(1))

    generation = ask(member)
    wait_for_end(generation)

    refused, answered = upstream.requests
    assert answered.received_at - refused.received_at >= 1
    assert (generation.status, generation.attempt) == ("completed", 2)


def test_a_model_that_is_away_is_tried_by_one_at_a_time(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(Refusal(503, {}))
    asked = [ask(member)]
    wait_for_pause()
    upstream.next(Refusal(503, {}))

    asked += [ask(member) for _ in range(5)]
    wait_for_end(*asked)

    assert {generation.status for generation in asked} == {"completed"}
    # Two failed, and each of the others got its answer at once.
    assert [call.status for call in upstream.requests] == [503, 503] + [200] * 6
    assert not Pause.objects.exists()


def test_a_prompt_that_fails_each_time_keeps_nobody_else_waiting(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.when("poison", refusals.server_error())
    until = timezone.now() + timedelta(minutes=1)
    Pause.objects.create(deployment=deployment, reason="unavailable", until=until)
    poison = ask(member, "poison")
    others = [ask(member, "harmless") for _ in range(3)]

    assert pausing.end_wait(deployment)
    tasks.generate.delay()
    wait_for_end(*others)

    first, second, *_ = upstream.requests
    assert (first.status, second.status) == (500, 200)
    assert {(other.status, other.attempt) for other in others} == {("completed", 1)}
    wait_for_end(poison)
    assert (poison.status, poison.error_code) == ("failed", "unavailable")


def test_a_fallback_answers_meanwhile_at_its_own_prices(
    stack: Stack,
    member: Membership,
    deployment: Deployment,
    other: Deployment,
    upstream: Upstream,
) -> None:
    DeploymentGrant.objects.filter(deployment=deployment).update(fallback=other)
    upstream.next(refusals.rate_limited(60))

    refused = ask(member)
    wait_for_pause()
    later = ask(member)
    wait_for_end(refused, later)

    assert [call.body["model"] for call in upstream.requests] == ["small-1", "other-1", "other-1"]
    for generation in (refused, later):
        assert generation.status == "completed"
        assert (generation.deployment, generation.stands_in_for) == (other, deployment)
        entry = UsageEntry.objects.get(generation_id=generation.pk)
        assert (entry.deployment, entry.input_price) == (other, other.input_price)
        assert entry.output_price == other.output_price


def test_nobody_waits_for_a_provider_that_asks_for_too_much_time(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    upstream.next(refusals.rate_limited(600))

    refused = ask(member)
    pause = wait_for_pause()
    later = ask(member)
    wait_for_end(refused, later)

    for generation in (refused, later):
        assert (generation.status, generation.error_code) == ("failed", "rate_limited")
        assert generation.try_again_at == pause.until
    assert len(upstream.requests) == 1


def test_a_fallback_that_fails_once_is_waited_for(
    stack: Stack,
    member: Membership,
    deployment: Deployment,
    other: Deployment,
    upstream: Upstream,
) -> None:
    DeploymentGrant.objects.filter(deployment=deployment).update(fallback=other)
    upstream.next(refusals.rate_limited(600), refusals.overloaded())

    generation = ask(member)
    wait_for_end(generation)

    assert [call.body["model"] for call in upstream.requests] == ["small-1", "other-1", "other-1"]
    assert (generation.status, generation.deployment) == ("completed", other)


@pytest.mark.django_db(transaction=True)
def test_failures_of_many_workers_at_one_moment_make_one_pause(
    member: Membership, queue: Queue
) -> None:
    started = {"status": "running", "attempt": 1, "heartbeat_at": timezone.now()}
    running = [queue(member, **started) for _ in range(12)]
    barrier = threading.Barrier(len(running))

    def fail(generation: Generation) -> object:
        barrier.wait(10)
        try:
            return pausing.note_failure(generation, ProviderError("unavailable"))
        finally:
            connection.close()

    with ThreadPoolExecutor(len(running)) as threads:
        ends = set(threads.map(fail, running))

    pause = Pause.objects.get()
    assert (pause.failures, ends) == (1, {pause.until})
