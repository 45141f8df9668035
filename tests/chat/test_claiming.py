"""Which generation a worker takes next, and which it leaves."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.generation import claiming
from chat.generation.claiming import claim_next
from chat.models import Deployment, Generation
from tenants.models import Membership, Tenant
from tests.client import current_scope, without_scope
from tests.conftest import Queue

Status = Generation.Status


def test_claim_takes_the_oldest_and_raises_the_attempt(member: Membership, queue: Queue) -> None:
    older, newer = queue(member), queue(member)

    claimed = [claim_next(), claim_next()]

    assert claimed == [older, newer]
    assert claimed[0] is not None
    assert (claimed[0].status, claimed[0].attempt) == (Status.RUNNING, 1)
    assert claim_next() is None


def test_claim_prefers_the_tenant_with_the_fewest_running(
    member: Membership, outsider: Membership, queue: Queue
) -> None:
    for _ in range(3):
        queue(member)
    late = queue(outsider)

    first, second = claim_next(), claim_next()

    assert first is not None
    assert first.tenant == member.tenant
    assert second == late


def test_claim_never_exceeds_the_tenants_limit(member: Membership, queue: Queue) -> None:
    Tenant.objects.update(max_running=2)
    for _ in range(3):
        queue(member)

    claimed = [claim_next() for _ in range(3)]

    assert claimed[2] is None
    assert Generation.objects.running().count() == 2


def test_claim_leaves_a_full_tenant_for_the_next_one(
    member: Membership, outsider: Membership, queue: Queue
) -> None:
    Tenant.objects.filter(pk=member.tenant_id).update(max_running=1)
    queue(member)
    claim_next()
    queue(member)
    other = queue(outsider)

    assert claim_next() == other


def test_claim_leaves_what_may_not_start_yet(member: Membership, queue: Queue) -> None:
    queue(member, not_before=timezone.now() + timedelta(minutes=1))
    ready = queue(member, not_before=timezone.now() - timedelta(seconds=1))

    assert claim_next() == ready
    assert claim_next() is None


def test_claim_leaves_a_suspended_tenant(member: Membership, queue: Queue) -> None:
    queue(member)
    Tenant.objects.update(status=Tenant.Status.SUSPENDED)

    assert claim_next() is None


def test_a_claim_takes_in_the_scope_of_the_tenant_alone(member: Membership, queue: Queue) -> None:
    queue(member)
    scopes: list[tuple[str, str]] = []

    def note(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE"):
            scopes.append(current_scope())
        return execute(sql, *args)

    with without_scope(), connection.execute_wrapper(note):
        claim_next()

    assert scopes == [(str(member.tenant_id), "")]


def test_a_claim_looks_again_when_what_it_chose_was_stopped(
    member: Membership, queue: Queue
) -> None:
    stopped, other = queue(member), queue(member)

    def stop(execute: Any, sql: str, *args: Any) -> Any:
        result = execute(sql, *args)
        if "WITH running" in sql:
            Generation.objects.filter(pk=stopped.pk).update(status=Status.STOPPED)
        return result

    with connection.execute_wrapper(stop):
        claimed = claim_next()

    assert claimed == other


@pytest.mark.django_db(transaction=True)
def test_a_claim_waits_for_no_generation_that_somebody_has_locked(
    member: Membership, queue: Queue
) -> None:
    locked, other = queue(member), queue(member)

    def claim() -> list[Generation | None]:
        try:
            return [claim_next(), claim_next()]
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        Generation.objects.select_for_update().get(pk=locked.pk)
        claimed = threads.submit(claim).result(10)

    assert claimed == [other, None]
    assert claim_next() == locked


def test_a_claim_is_one_transaction_of_few_statements(member: Membership, queue: Queue) -> None:
    for _ in range(3):
        queue(member)

    with without_scope(), CaptureQueriesContext(connection) as captured:
        claimed = claim_next()

    assert claimed is not None
    assert [query["sql"].split()[0] for query in captured] == [
        "SAVEPOINT", "SELECT",  # the scope of the platform
        "SELECT", "WITH",  # lock and choice
        "SELECT",  # the scope of the tenant
        "SELECT", "UPDATE",
        "SELECT", "RELEASE",  # the scope as before
    ]  # fmt: skip


def test_a_look_that_finds_nothing_queued_ends_at_once(member: Membership, queue: Queue) -> None:
    queue(member, status=Status.COMPLETED)

    with without_scope(), CaptureQueriesContext(connection) as captured:
        assert claim_next() is None

    assert not [query for query in captured if "WITH running" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND (classid::bigint << 32) + objid::bigint = %s",
            [claiming._LOCK_ID],
        )
        assert cursor.fetchone() == (0,)


def test_what_a_claim_hands_out_needs_no_further_query(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    queue(member)
    claimed = claim_next()
    assert claimed is not None

    with CaptureQueriesContext(connection) as captured:
        related = (claimed.deployment, claimed.conversation.title, claimed.tenant)

    assert related == (deployment, "Question", member.tenant)
    assert len(captured) == 0


# ── Limits ─────────────────────────────────────────────────────────────────────────────────────
def test_a_member_at_their_limit_is_in_nobodys_way(
    member: Membership, colleague: Membership, queue: Queue
) -> None:
    Tenant.objects.update(max_running_per_member=2)
    mine = [queue(member) for _ in range(3)]
    theirs = queue(colleague)

    claimed = [claim_next() for _ in range(4)]

    assert claimed == [mine[0], mine[1], theirs, None]


def test_all_tenants_together_stay_within_the_platforms_limit(
    member: Membership, outsider: Membership, queue: Queue, settings: Any
) -> None:
    settings.CHAT_MAX_RUNNING = 3
    for _ in range(2):
        queue(member)
        queue(outsider)

    claimed = [claim_next() for _ in range(4)]

    assert claimed[3] is None
    assert Generation.objects.running().count() == 3
