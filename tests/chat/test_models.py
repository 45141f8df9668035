"""The list by recency, the branch, and the ledger."""

import uuid
from decimal import Decimal

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Message, UsageEntry
from tenants.ledger import AppendOnlyError
from tenants.models import AuditEvent, Membership, Tenant
from tests import servers
from tests.conftest import Queue

Status = Generation.Status


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


@pytest.mark.django_db(transaction=True)
def test_a_branch_is_read_on_while_a_later_version_adds_a_column(
    member: Membership, queue: Queue
) -> None:
    asked = queue(member).prompt
    for _ in range(8):  # from the sixth on it is a prepared statement
        Message.objects.branch(asked.pk)

    with servers.owner_connection() as owner:
        owner.execute("ALTER TABLE chat_message ADD COLUMN later integer")
    try:
        assert Message.objects.branch(asked.pk) == [asked]
    finally:
        with servers.owner_connection() as owner:
            owner.execute("ALTER TABLE chat_message DROP COLUMN later")
