"""What the claim does about deployments that are paused, and their fallbacks."""

from datetime import timedelta

import pytest
from django.utils import timezone

from chat.errors import ProviderError
from chat.generation import pausing
from chat.generation.claiming import claim_next
from chat.models import Deployment, DeploymentGrant, Generation, Pause
from tenants.models import Membership, Tenant
from tests.conftest import Queue


def pause(deployment: Deployment, *, seconds: float = 60, **fields: object) -> Pause:
    """A pause of the deployment that ends in so many seconds, or has ended."""
    until = timezone.now() + timedelta(seconds=seconds)
    return Pause.objects.create(deployment=deployment, reason="rate_limited", until=until, **fields)


@pytest.fixture
def other_deployment(tenant: Tenant, deployment: Deployment) -> Deployment:
    """Another model of the tenant's."""
    other = Deployment.objects.create(
        name="other", label="Other", kind="openai", model="other-1",
        endpoint=deployment.endpoint, context_window=8192,
    )  # fmt: skip
    DeploymentGrant.objects.create(tenant=tenant, deployment=other)
    return other


@pytest.fixture
def with_fallback(deployment: Deployment, other_deployment: Deployment) -> DeploymentGrant:
    """The tenant's default model, with the other one as its fallback."""
    grant = DeploymentGrant.objects.get(deployment=deployment)
    grant.fallback = other_deployment
    grant.save()
    return grant


def test_a_paused_deployment_is_not_called_and_others_go_on(
    member: Membership, queue: Queue, deployment: Deployment, other_deployment: Deployment
) -> None:
    queue(member)
    free = queue(member)
    Generation.objects.filter(pk=free.pk).update(deployment=other_deployment)
    pause(deployment)

    assert [claim_next(), claim_next()] == [free, None]


def test_one_generation_is_the_probe_when_the_pause_is_over(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    first, _ = queue(member), queue(member)
    pause(deployment, seconds=-1)

    claimed, nothing = claim_next(), claim_next()

    assert claimed == first
    assert claimed is not None
    assert claimed.is_probe
    assert nothing is None
    assert Pause.objects.get().probe_id == first.pk


def test_a_fallback_takes_over_while_the_deployment_is_paused(
    member: Membership, queue: Queue, with_fallback: DeploymentGrant
) -> None:
    queue(member)
    pause(with_fallback.deployment)

    claimed = claim_next()

    assert claimed is not None
    claimed.refresh_from_db()
    assert claimed.deployment == with_fallback.fallback
    assert claimed.stands_in_for == with_fallback.deployment
    assert not claimed.is_probe


def test_what_a_fallback_gave_back_goes_to_the_one_that_was_asked_for(
    member: Membership, queue: Queue, with_fallback: DeploymentGrant
) -> None:
    moved = queue(member, stands_in_for=with_fallback.deployment)
    assert with_fallback.fallback is not None
    Generation.objects.filter(pk=moved.pk).update(deployment=with_fallback.fallback)
    pause(with_fallback.fallback)

    claimed = claim_next()

    assert claimed is not None
    assert claimed.deployment == with_fallback.deployment
    assert claimed.stands_in_for is None


def test_others_go_to_the_fallback_while_one_is_the_probe(
    member: Membership, queue: Queue, with_fallback: DeploymentGrant
) -> None:
    for _ in range(2):
        queue(member)
    pause(with_fallback.deployment, seconds=-1)

    probe, other = claim_next(), claim_next()

    assert probe is not None
    assert other is not None
    assert (probe.is_probe, probe.deployment) == (True, with_fallback.deployment)
    assert (other.is_probe, other.deployment) == (False, with_fallback.fallback)


@pytest.mark.parametrize("why", ["withdrawn", "not offered", "switched off", "paused"])
def test_a_fallback_that_may_not_be_called_is_none(
    member: Membership, queue: Queue, with_fallback: DeploymentGrant, why: str
) -> None:
    fallback = with_fallback.fallback
    assert fallback is not None
    queue(member)
    pause(with_fallback.deployment)
    grants = DeploymentGrant.objects.filter(deployment=fallback)
    if why == "withdrawn":
        grants.delete()
    elif why == "not offered":
        grants.update(is_offered=False)
    elif why == "switched off":
        Deployment.objects.filter(pk=fallback.pk).update(is_active=False)
    else:
        pause(fallback)

    assert claim_next() is None
    assert not Generation.objects.due(timezone.now()).exists()


def test_another_tenants_grant_makes_no_fallback(
    member: Membership, outsider: Membership, queue: Queue, with_fallback: DeploymentGrant
) -> None:
    DeploymentGrant.objects.filter(deployment=with_fallback.fallback).update(tenant=outsider.tenant)
    queue(member)
    pause(with_fallback.deployment)

    assert claim_next() is None


def test_what_has_a_fallback_is_due_and_what_has_none_is_not(
    member: Membership, outsider: Membership, queue: Queue, with_fallback: DeploymentGrant
) -> None:
    mine, _ = queue(member), queue(outsider)
    pause(with_fallback.deployment)

    assert list(Generation.objects.due(timezone.now())) == [mine]


# ── Whose turn it is after a pause ─────────────────────────────────────────────────────────────
@pytest.fixture
def failed(member: Membership, queue: Queue) -> Generation:
    """One that was a probe, and is in the queue again before all others."""
    failed = queue(member, attempt=1)
    failed.is_probe = True
    return failed


@pytest.mark.parametrize("code", ["unavailable", "timeout"])
def test_where_it_may_be_the_prompt_another_one_is_the_probe(
    member: Membership, queue: Queue, failed: Generation, code: str
) -> None:
    other = queue(member)
    until = pausing.note_failure(failed, ProviderError(code))
    assert until is not None

    not_before = pausing.step_aside(failed)
    Pause.objects.update(until=timezone.now())

    assert not_before is not None
    assert until < not_before < until + timedelta(seconds=1)
    assert [claim_next(), claim_next()] == [other, None]
    Pause.objects.all().delete()
    Generation.objects.filter(pk=failed.pk).update(not_before=timezone.now())
    assert claim_next() == failed


@pytest.mark.parametrize(("code", "after"), [("rate_limited", None), ("unavailable", 30)])
def test_nobody_steps_aside_where_it_is_the_provider(
    failed: Generation, code: str, after: float | None
) -> None:
    pausing.note_failure(failed, ProviderError(code, retry_after_seconds=after))

    assert pausing.step_aside(failed) is None
    assert Generation.objects.get(pk=failed.pk).not_before is None


def test_nobody_steps_aside_where_a_fallback_can_answer(
    failed: Generation, with_fallback: DeploymentGrant
) -> None:
    pausing.note_failure(failed, ProviderError("unavailable"))

    assert pausing.step_aside(failed) is None
    claimed = claim_next()
    assert claimed is not None
    assert claimed.deployment == with_fallback.fallback
