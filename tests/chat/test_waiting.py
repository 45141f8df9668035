"""What a queued generation is said to wait for."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.generation.claiming import claim_next
from chat.models import Deployment, DeploymentGrant, Generation, Pause
from chat.services.waiting import Waiting, look, look_within
from tenants.models import Membership, Tenant
from tenants.scope import tenant_scope
from tests.client import without_scope
from tests.conftest import Queue

Status = Generation.Status


def say(*generations: Generation) -> list[Waiting | None]:
    """What these wait for, as a web process without a scope finds out."""
    with without_scope():
        waiting = look([generation.pk for generation in generations])
    return [waiting.get(generation.pk) for generation in generations]


def test_each_is_told_how_many_of_its_tenant_come_before(
    member: Membership, colleague: Membership, outsider: Membership, queue: Queue
) -> None:
    queue(outsider)
    first, second, third = queue(member), queue(colleague), queue(member)

    assert say(third, second, first) == [
        Waiting("queue", 2, 0),
        Waiting("queue", 1, 0),
        Waiting("queue", 0, 0),
    ]


def test_what_runs_or_is_gone_waits_for_nothing(member: Membership, queue: Queue) -> None:
    running = queue(member, status=Status.RUNNING, heartbeat_at=timezone.now())

    assert say(running) == [None]
    assert look([uuid.uuid4()]) == {}
    assert look([]) == {}


def test_a_pause_is_told_with_its_seconds(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    first, second = queue(member), queue(member)
    until = timezone.now() + timedelta(seconds=12)
    pause = Pause.objects.create(
        deployment=deployment, reason="rate_limited", until=until, is_asked=True
    )

    assert say(first, second) == [Waiting("provider", 0, 12), Waiting("provider", 0, 12)]
    pause.is_asked = False
    pause.save()
    assert say(first) == [Waiting("pause", 0, 12)]


def test_while_a_deployment_is_tried_the_seconds_are_none(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    Pause.objects.create(deployment=deployment, reason="unavailable", until=timezone.now())
    queue(member)
    claim_next()
    waiting = queue(member)

    assert say(waiting) == [Waiting("pause", 0, 0)]


def test_a_pause_with_a_fallback_is_none_to_wait_for(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    other = Deployment.objects.create(
        name="other", label="Other", kind="openai", model="m", context_window=8192
    )
    DeploymentGrant.objects.create(tenant=member.tenant, deployment=other)
    DeploymentGrant.objects.filter(deployment=deployment).update(fallback=other)
    waiting = queue(member)
    until = timezone.now() + timedelta(seconds=12)
    Pause.objects.create(deployment=deployment, reason="rate_limited", until=until)

    assert say(waiting) == [Waiting("queue", 0, 0)]


def test_a_time_of_its_own_is_told_like_a_pause(member: Membership, queue: Queue) -> None:
    waiting = queue(member, not_before=timezone.now() + timedelta(seconds=7))

    assert say(waiting) == [Waiting("provider", 0, 7)]


def test_who_has_reached_their_own_limit_waits_for_that_and_holds_up_nobody(
    member: Membership, colleague: Membership, queue: Queue
) -> None:
    Tenant.objects.update(max_running_per_member=1)
    queue(member)
    claim_next()
    mine, theirs, mine_too = queue(member), queue(colleague), queue(member)

    assert say(mine, theirs, mine_too) == [
        Waiting("limit", 1, 0),
        Waiting("queue", 0, 0),
        Waiting("limit", 1, 0),
    ]


def test_a_tenant_at_its_limit_waits_for_that(
    member: Membership, colleague: Membership, queue: Queue
) -> None:
    Tenant.objects.update(max_running=1)
    queue(member)
    claim_next()

    assert say(queue(colleague)) == [Waiting("tenant_limit", 1, 0)]


def test_all_tenants_at_the_platforms_limit_wait_for_that(
    member: Membership, outsider: Membership, queue: Queue, settings: Any
) -> None:
    settings.CHAT_MAX_RUNNING = 1
    queue(member)
    claim_next()

    assert say(queue(outsider)) == [Waiting("platform_limit", 1, 0)]


def test_a_page_can_ask_within_its_tenants_scope(
    member: Membership, outsider: Membership, queue: Queue
) -> None:
    queue(outsider)
    first, second = queue(member), queue(member)

    with without_scope(), tenant_scope(member.tenant):
        waiting = [look_within(first), look_within(second)]

    assert waiting == [Waiting("queue", 0, 0), Waiting("queue", 1, 0)]


@pytest.mark.parametrize("count", [1, 30])
def test_a_look_takes_two_queries_for_however_many(
    member: Membership, outsider: Membership, queue: Queue, count: int
) -> None:
    followed = [queue(person).pk for person in (member, outsider) for _ in range(count)]

    with CaptureQueriesContext(connection) as captured:
        look(followed)

    asked = [query["sql"] for query in captured if "chat_generation" in query["sql"]]
    assert len(asked) == 2
