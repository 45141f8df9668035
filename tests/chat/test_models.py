"""The claim, the list by recency, the branch, and the ledger."""

import threading
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Message, UsageEntry
from chat.models.generations import GenerationQuerySet
from tenants.ledger import AppendOnlyError
from tenants.models import AuditEvent, Membership, Tenant
from tests import servers
from tests.client import current_scope, without_scope
from tests.conftest import Queue

Status = Generation.Status


def test_claim_takes_the_oldest_and_raises_the_attempt(member: Membership, queue: Queue) -> None:
    older, newer = queue(member), queue(member)

    claimed = [Generation.objects.claim_next(), Generation.objects.claim_next()]

    assert claimed == [older, newer]
    assert claimed[0] is not None
    assert (claimed[0].status, claimed[0].attempt) == (Status.RUNNING, 1)
    assert Generation.objects.claim_next() is None


def test_claim_prefers_the_tenant_with_the_fewest_running(
    member: Membership, outsider: Membership, queue: Queue
) -> None:
    for _ in range(3):
        queue(member)
    late = queue(outsider)

    first, second = Generation.objects.claim_next(), Generation.objects.claim_next()

    assert first is not None
    assert first.tenant == member.tenant
    assert second == late


def test_claim_never_exceeds_the_tenants_limit(member: Membership, queue: Queue) -> None:
    Tenant.objects.update(max_running=2)
    for _ in range(3):
        queue(member)

    claimed = [Generation.objects.claim_next() for _ in range(3)]

    assert claimed[2] is None
    assert Generation.objects.running().count() == 2


def test_claim_leaves_a_full_tenant_for_the_next_one(
    member: Membership, outsider: Membership, queue: Queue
) -> None:
    Tenant.objects.filter(pk=member.tenant_id).update(max_running=1)
    queue(member)
    Generation.objects.claim_next()
    queue(member)
    other = queue(outsider)

    assert Generation.objects.claim_next() == other


def test_claim_looks_again_when_others_took_what_it_saw(
    member: Membership, outsider: Membership, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = queue(outsider)
    look = GenerationQuerySet._tenants_in_turn
    seen = [[member.tenant_id]]  # as it was before another worker took its row
    monkeypatch.setattr(
        GenerationQuerySet,
        "_tenants_in_turn",
        lambda rows, now: seen.pop() if seen else look(rows, now),
    )

    assert Generation.objects.claim_next() == newer


def test_claim_leaves_what_may_not_start_yet(member: Membership, queue: Queue) -> None:
    queue(member, not_before=timezone.now() + timedelta(minutes=1))
    ready = queue(member, not_before=timezone.now() - timedelta(seconds=1))

    assert Generation.objects.claim_next() == ready
    assert Generation.objects.claim_next() is None


def test_claim_leaves_a_suspended_tenant(member: Membership, queue: Queue) -> None:
    queue(member)
    Tenant.objects.update(status=Tenant.Status.SUSPENDED)

    assert Generation.objects.claim_next() is None


def test_a_claim_takes_in_the_scope_of_the_tenant_alone(member: Membership, queue: Queue) -> None:
    queue(member)
    scopes: list[tuple[str, str]] = []

    def note(execute: Any, sql: str, *args: Any) -> Any:
        if sql.startswith("UPDATE"):
            scopes.append(current_scope())
        return execute(sql, *args)

    with without_scope(), connection.execute_wrapper(note):
        Generation.objects.claim_next()

    assert scopes == [(str(member.tenant_id), "")]


@pytest.mark.django_db(transaction=True)
def test_simultaneous_claims_keep_the_limit_and_take_each_row_once(
    member: Membership, queue: Queue
) -> None:
    Tenant.objects.update(max_running=5)
    for _ in range(12):
        queue(member)
    claimed: list[uuid.UUID] = []
    barrier = threading.Barrier(8)

    def claim() -> None:
        barrier.wait(10)
        try:
            while generation := Generation.objects.claim_next():
                claimed.append(generation.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(claimed) == len(set(claimed)) == 5


def test_a_conversation_has_at_most_one_live_generation(member: Membership, queue: Queue) -> None:
    first = queue(member)
    copy = Generation.objects.get(pk=first.pk)
    copy.pk, copy.request_id = uuid.uuid4(), uuid.uuid4()
    copy._state.adding = True

    with pytest.raises(IntegrityError, match="one_live_generation"), transaction.atomic():
        copy.save(force_insert=True)


def test_pages_neither_repeat_nor_lose_a_conversation(member: Membership, queue: Queue) -> None:
    at = timezone.now()
    for _ in range(7):
        queue(member)
    Conversation.objects.update(active_at=at)  # the hardest case: all at one time
    mine = Conversation.objects.visible_to(member)

    seen: list[uuid.UUID] = []
    cursor = ""
    for _ in range(4):
        page = mine.page(after=cursor, size=2)
        seen += [row.pk for row in page.rows]
        cursor = page.next_cursor

    assert cursor == ""
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "~",
        "2026-01-01~x",
        "9999-99-99~1",
        "\0",
        "0001-01-01T00:00:00+23:59~" + "0" * 32,
        "9999-12-31T23:59:59-23:59~" + "0" * 32,
    ],
)
def test_a_cursor_that_is_none_starts_at_the_top(
    member: Membership, queue: Queue, cursor: str
) -> None:
    queue(member)

    assert len(Conversation.objects.visible_to(member).page(after=cursor).rows) == 1


def test_a_branch_is_the_way_from_the_head_to_the_root(member: Membership, queue: Queue) -> None:
    root = queue(member).prompt
    near = {"tenant": root.tenant, "conversation": root.conversation}
    left = Message.objects.create(parent=root, role="assistant", content="left", **near)
    right = Message.objects.create(parent=root, role="assistant", content="right", **near)
    leaf = Message.objects.create(parent=right, role="user", content="leaf", **near)

    assert Message.objects.branch(leaf.pk) == [root, right, leaf]
    assert Message.objects.branch(leaf.pk, limit=2) == [right, leaf]
    assert Message.objects.branch(left.pk) == [root, left]
    assert Message.objects.branch(None) == []


def test_cost_is_exact_to_the_last_digit(deployment: Deployment) -> None:
    assert deployment.cost(input_tokens=3, output_tokens=7) == Decimal("0.0000155")


def test_an_endpoint_elsewhere_is_refused(deployment: Deployment) -> None:
    for endpoint in (
        "https://openai.azure.com.attacker.example/v1",
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]/",
        "file:///etc/passwd",
        "http://127.0.0.1@attacker.example/",
    ):
        deployment.endpoint = endpoint
        with pytest.raises(ValidationError):
            deployment.full_clean()


def test_one_default_per_tenant(deployment: Deployment, tenant: Tenant) -> None:
    other = Deployment.objects.create(
        name="other", label="Other", kind="openai", model="m", context_window=1000
    )

    with pytest.raises(IntegrityError, match="one_default_grant"), transaction.atomic():
        DeploymentGrant.objects.create(tenant=tenant, deployment=other, is_default=True)


@pytest.fixture
def usage_entry(member: Membership, deployment: Deployment) -> UsageEntry:
    """One bill of bob's, beside the audit event of his joining."""
    return UsageEntry.objects.create(
        tenant=member.tenant, user=member.user, deployment=deployment, generation_id=uuid.uuid4(),
        input_tokens=1, output_tokens=1, input_price=0, output_price=0, cost=0,
    )  # fmt: skip


@pytest.mark.parametrize("model", [UsageEntry, AuditEvent])
def test_ledgers_are_append_only_in_code_and_in_the_database(
    usage_entry: UsageEntry, model: type[UsageEntry] | type[AuditEvent]
) -> None:
    row = model.objects.first()
    assert row is not None

    with pytest.raises(AppendOnlyError):
        model.objects.all().delete()
    with pytest.raises(AppendOnlyError):
        model.objects.update(tenant=None)
    for change in (row.save, row.delete):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            change()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [UsageEntry, AuditEvent])
def test_not_even_the_owner_of_the_tables_changes_a_ledger(
    usage_entry: UsageEntry, model: type[UsageEntry] | type[AuditEvent]
) -> None:
    table = model._meta.db_table

    with servers.owner_connection() as owner:
        owner.execute("SET atrium.platform = 'on'")
        for change in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
            with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
                owner.execute(change.encode())
