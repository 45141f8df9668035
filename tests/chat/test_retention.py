"""Conversations go when their tenant keeps them no longer: those, all of them, and nothing else."""

import io
import threading
import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from chat import retention, services, tasks
from chat.models import Conversation, Deployment, Generation, Investigation, Message, UsageEntry
from tenants.models import AuditEvent, Membership, Tenant
from tests.client import without_scope
from tests.conftest import Queue

Status = Generation.Status


def keep_for(tenant: Tenant, days: int | None) -> None:
    """Let the tenant keep conversations for this long."""
    Tenant.objects.filter(pk=tenant.pk).update(retention_days=days)


def conversation_of(
    member: Membership, deployment: Deployment, *, days: float, **fields: object
) -> Conversation:
    """A conversation with one message that was last written to this many days ago."""
    conversation = Conversation.objects.create(
        tenant=member.tenant, owner=member.user, title="Old", deployment=deployment,
        request_id=uuid.uuid4(), active_at=timezone.now() - timedelta(days=days), **fields,
    )  # fmt: skip
    Message.objects.create(
        tenant=member.tenant, conversation=conversation, role="user", content="?"
    )
    return conversation


def expired_events() -> list[tuple[str, int]]:
    """What the log has about it: tenant and number."""
    events = AuditEvent.objects.filter(action="conversation.expired").select_related("tenant")
    return sorted((str(e.tenant and e.tenant.slug), e.detail["conversations"]) for e in events)


def test_what_is_older_than_the_tenant_keeps_goes_with_its_messages(
    member: Membership, deployment: Deployment
) -> None:
    keep_for(member.tenant, 30)
    conversation_of(member, deployment, days=31)
    conversation_of(member, deployment, days=300, is_pinned=True)
    conversation_of(member, deployment, days=31, is_archived=True)
    kept = conversation_of(member, deployment, days=29)

    assert retention.delete_expired() == {"acme": 3}

    assert list(Conversation.objects.all()) == [kept]
    assert [message.conversation for message in Message.objects.all()] == [kept]


def test_it_is_written_down_once_for_each_tenant_and_run(
    member: Membership, outsider: Membership, deployment: Deployment
) -> None:
    for each, days in ((member, 10), (outsider, 20)):
        keep_for(each.tenant, days)
        conversation_of(each, deployment, days=21)
        conversation_of(each, deployment, days=22)

    assert retention.delete_expired() == {"acme": 2, "globex": 2}
    assert retention.delete_expired() == {}

    assert expired_events() == [("acme", 2), ("globex", 2)]
    event = AuditEvent.objects.filter(action="conversation.expired").earliest("created_at")
    assert (event.actor, event.subject) == (None, f"tenants.tenant:{event.tenant_id}")


def test_a_tenant_without_a_retention_keeps_everything(
    member: Membership, outsider: Membership, deployment: Deployment
) -> None:
    keep_for(outsider.tenant, 1)
    conversation_of(member, deployment, days=30_000)

    assert retention.delete_expired() == {}
    assert Conversation.objects.count() == 1


def test_a_suspended_tenants_conversations_go_too(
    member: Membership, deployment: Deployment
) -> None:
    Tenant.objects.update(status=Tenant.Status.SUSPENDED, retention_days=5)
    conversation_of(member, deployment, days=6)

    assert retention.delete_expired() == {"acme": 1}


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_a_conversation_with_a_live_generation_stays_until_it_has_ended(
    member: Membership, queue: Queue, status: Status
) -> None:
    keep_for(member.tenant, 5)
    live = queue(member, status=status, heartbeat_at=timezone.now())
    Conversation.objects.update(active_at=timezone.now() - timedelta(days=6))

    assert retention.delete_expired() == {}
    assert Generation.objects.filter(pk=live.pk).exists()

    Generation.objects.update(status=Status.COMPLETED)
    assert retention.delete_expired() == {"acme": 1}


def test_usage_and_investigations_stay(member: Membership, owner: Membership, queue: Queue) -> None:
    keep_for(member.tenant, 5)
    ended = queue(member, status=Status.COMPLETED)
    Conversation.objects.update(active_at=timezone.now() - timedelta(days=6))
    UsageEntry.objects.create(
        tenant=member.tenant, user=member.user, deployment=ended.deployment,
        generation_id=ended.pk, input_tokens=1, output_tokens=1, input_price=0, output_price=0,
        cost=0,
    )  # fmt: skip
    Investigation.objects.create(
        tenant=member.tenant, conversation=ended.conversation, subject_id=ended.conversation_id,
        member=member.user, opened_by=owner.user, reason="x", notify_at=timezone.now(),
    )  # fmt: skip

    retention.delete_expired()

    assert UsageEntry.objects.get().generation_id == ended.pk
    assert Investigation.objects.get().conversation is None
    assert not Generation.objects.exists()


def test_many_go_in_batches_each_with_its_event(
    member: Membership, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    keep_for(member.tenant, 5)
    for _ in range(5):
        conversation_of(member, deployment, days=6)

    assert retention.delete_expired() == {"acme": 5}
    assert expired_events() == [("acme", 1), ("acme", 2), ("acme", 2)]


def test_it_needs_no_scope_and_leaves_none(member: Membership, deployment: Deployment) -> None:
    keep_for(member.tenant, 5)
    conversation_of(member, deployment, days=6)

    with without_scope():
        tasks.delete_expired()

    assert not Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_message_that_is_sent_at_that_moment_keeps_the_conversation(
    member: Membership, deployment: Deployment
) -> None:
    keep_for(member.tenant, 5)
    old = conversation_of(member, deployment, days=6)
    deleted: list[dict[str, int]] = []

    def sweep() -> None:
        try:
            deleted.append(retention.delete_expired())
        finally:
            connection.close()

    with transaction.atomic():
        services.send_message(
            actor=member, conversation=old, text="Still needed", request_id=uuid.uuid4()
        )
        sweeping = threading.Thread(target=sweep)
        sweeping.start()
        sweeping.join(timeout=30)
        assert not sweeping.is_alive(), "it waited for the send"

    assert deleted == [{}]
    assert retention.delete_expired() == {}
    assert old.messages.count() == 2


@pytest.mark.django_db(transaction=True)
def test_several_sweeps_at_once_delete_everything_once(
    member: Membership, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 3)
    keep_for(member.tenant, 5)
    for _ in range(20):
        conversation_of(member, deployment, days=6)

    def sweep() -> None:
        try:
            retention.delete_expired()
        finally:
            connection.close()

    sweeps = [threading.Thread(target=sweep) for _ in range(3)]
    for thread in sweeps:
        thread.start()
    for thread in sweeps:
        thread.join(timeout=60)
    retention.delete_expired()

    assert not Conversation.objects.exists()
    assert sum(count for _, count in expired_events()) == 20


# ── By hand ────────────────────────────────────────────────────────────────────────────────────
def apply(*arguments: str) -> str:
    """What the command prints."""
    output = io.StringIO()
    call_command("apply_retention", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_says_what_would_go_and_then_what_went(
    member: Membership, deployment: Deployment, queue: Queue
) -> None:
    keep_for(member.tenant, 5)
    queue(member)
    Conversation.objects.update(active_at=timezone.now() - timedelta(days=6))
    conversation_of(member, deployment, days=6)

    assert apply("--dry-run") == "acme: 1 would be deleted\n"
    assert Conversation.objects.count() == 2
    assert apply() == "acme: 1 deleted\n"
    assert apply() == apply("--dry-run") == "Nothing is older than its tenant keeps it.\n"
