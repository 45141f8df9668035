"""Tickets are lost, tenants crowd each other."""

from chat.models import Deployment, DeploymentGrant, Generation
from chat.streams.connection import client as redis_client
from tenants.models import Membership, Tenant
from tests.chat.answers import ask, bills, has_ended, wait_for_end
from tests.stack import Stack, wait_until
from tests.upstream import Gate, Reply, Upstream


def test_a_lost_ticket_is_issued_again(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    stack.kill(stack.worker)
    generation = ask(member)
    assert redis_client().delete("chat") == 1

    stack.worker.start()
    wait_for_end(generation)

    assert (generation.status, generation.attempt) == ("completed", 1)
    assert bills(generation) == ["counted"]


def test_a_tenant_that_asks_much_makes_nobody_else_wait(
    stack: Stack,
    member: Membership,
    outsider: Membership,
    deployment: Deployment,
    upstream: Upstream,
) -> None:
    DeploymentGrant.objects.create(tenant=outsider.tenant, deployment=deployment, is_default=True)
    Tenant.objects.filter(pk=member.tenant.pk).update(max_running=1)
    gate = Gate()
    upstream.when("crowd", Reply("Late", gate=gate))
    crowd = [ask(member, f"crowd {number}") for number in range(6)]
    upstream.wait_for_requests(1)

    single = ask(outsider, "single")
    wait_for_end(single)

    assert not any(has_ended(generation) for generation in crowd)
    gate.open()
    wait_for_end(*crowd)
    assert {generation.status for generation in crowd} == {"completed"}
    assert [bills(generation) for generation in crowd] == [["counted"]] * 6


def test_no_more_run_at_once_than_the_tenant_may(
    stack: Stack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    Tenant.objects.filter(pk=member.tenant.pk).update(max_running=3)
    upstream.always(Reply("One two three", tokens_per_second=10))
    asked = [ask(member, f"Message {number}") for number in range(12)]
    running = []

    def all_ended() -> bool:
        running.append(Generation.objects.running().count())
        return not Generation.objects.live().exists()

    wait_until(all_ended, what="twelve answers")

    assert max(running) == 3
    assert {generation.status for generation in asked if has_ended(generation)} == {"completed"}
    assert len(upstream.requests) == 12
