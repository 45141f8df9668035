"""How many messages of a member may wait."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from chat.errors import TooManyWaiting
from chat.models import Deployment, Generation, Pause
from chat.services.limits import refuse_if_too_many_waiting
from tenants.models import Membership, Tenant
from tenants.scope import tenant_scope
from tests.client import without_scope
from tests.conftest import Queue

Status = Generation.Status


@pytest.fixture(autouse=True)
def two_may_wait(tenant: Tenant) -> None:
    """Of each member."""
    Tenant.objects.update(max_queued_per_member=2)
    tenant.refresh_from_db()


def refusal(actor: Membership) -> TooManyWaiting:
    """How the member's next message is refused."""
    with without_scope(), tenant_scope(actor.tenant), pytest.raises(TooManyWaiting) as caught:
        refuse_if_too_many_waiting(actor)
    return caught.value


def test_a_message_within_the_limit_is_taken(
    member: Membership, colleague: Membership, queue: Queue
) -> None:
    queue(member)
    queue(member, status=Status.RUNNING, heartbeat_at=timezone.now())
    queue(member, status=Status.COMPLETED)
    queue(colleague)

    refuse_if_too_many_waiting(member)


def test_one_above_it_is_refused_with_the_limit_and_a_time(
    member: Membership, colleague: Membership, queue: Queue
) -> None:
    for _ in range(2):
        queue(member)

    refused = refusal(member)

    assert (refused.status, refused.code) == (429, "too_many_waiting")
    assert str(refused).startswith("2 of your messages wait for an answer already")
    assert refused.retry_after_seconds
    assert f"{refused.retry_after_seconds} seconds" in str(refused)
    refuse_if_too_many_waiting(colleague)


def test_the_time_is_the_pauses_when_all_wait_for_one(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    until = timezone.now() + timedelta(seconds=42)
    Pause.objects.create(deployment=deployment, reason="rate_limited", until=until)
    for _ in range(2):
        queue(member)

    assert refusal(member).retry_after_seconds == 42


@pytest.mark.django_db(transaction=True)
def test_of_many_messages_at_once_no_more_are_stored_than_may_wait(
    member: Membership, queue: Queue
) -> None:
    def send(_: int) -> bool:
        try:
            with tenant_scope(member.tenant):
                refuse_if_too_many_waiting(member)
                queue(member)
        except TooManyWaiting:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        sent = list(threads.map(send, range(8)))

    assert sent.count(True) == 2
    assert Generation.objects.queued().count() == 2
