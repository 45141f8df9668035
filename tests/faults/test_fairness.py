"""Tenants and members crowd each other, and many workers claim at once."""

import threading
import uuid
from collections import Counter
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from chat.generation import claiming
from chat.generation.claiming import claim_next
from chat.models import Conversation, Deployment, Generation, Message
from tenants.models import Membership, Tenant
from tests.conftest import Queue

Status = Generation.Status
THREADS = 12


def crowd(actor: Membership, deployment: Deployment, count: int) -> list[Generation]:
    """So many of this member's messages in the queue, each in a conversation of its own."""
    who = {"tenant": actor.tenant}
    conversations = Conversation.objects.bulk_create(
        Conversation(
            owner=actor.user, title="Crowd", deployment=deployment, request_id=uuid.uuid4(),
            active_at=timezone.now(), **who,
        )
        for _ in range(count)
    )  # fmt: skip
    prompts = Message.objects.bulk_create(
        Message(conversation=conversation, role="user", content=f"crowd {number}.", **who)
        for number, conversation in enumerate(conversations)
    )
    return Generation.objects.bulk_create(
        Generation(
            conversation=prompt.conversation, prompt=prompt, user=actor.user,
            deployment=deployment, request_id=uuid.uuid4(), **who,
        )
        for prompt in prompts
    )  # fmt: skip


def claims_of_many_workers(monkeypatch: pytest.MonkeyPatch) -> list[Generation]:
    """What many workers get that claim at the same time, each until it gets nothing more."""
    # Threads stand for processes here: only the database makes them take turns.
    monkeypatch.setattr(claiming, "_turn", nullcontext())
    claimed: list[Generation] = []
    barrier = threading.Barrier(THREADS)

    def claim() -> None:
        barrier.wait(10)
        try:
            while generation := claim_next():
                claimed.append(generation)
        finally:
            connection.close()

    threads = [threading.Thread(target=claim) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return claimed


@pytest.fixture
def three_people(
    transactional_db: None, member: Membership, colleague: Membership, outsider: Membership
) -> list[Membership]:
    """Two of one tenant, and one of another."""
    return [member, colleague, outsider]


@pytest.mark.parametrize(
    ("limits", "platform", "expected"),
    [
        ({"max_running": 5}, 1000, {"acme": 5, "globex": 5}),
        ({"max_running_per_member": 3}, 1000, {"acme": 6, "globex": 3}),
        ({"max_running": 20}, 7, {"acme": 4, "globex": 3}),
    ],
    ids=["tenant", "member", "platform"],
)
def test_many_workers_keep_each_limit_and_take_each_row_once(
    three_people: list[Membership],
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
    limits: dict[str, int],
    platform: int,
    expected: dict[str, int],
) -> None:
    settings.CHAT_MAX_RUNNING = platform
    Tenant.objects.update(**limits)
    for person in three_people:
        for _ in range(8):
            queue(person)

    claimed = claims_of_many_workers(monkeypatch)

    assert len({generation.pk for generation in claimed}) == len(claimed)
    assert Counter(generation.tenant.slug for generation in claimed) == expected
    assert Generation.objects.running().count() == sum(expected.values())


def test_the_first_slot_that_comes_free_is_for_who_has_none(
    member: Membership, outsider: Membership, deployment: Deployment, settings: Any
) -> None:
    Tenant.objects.update(max_running=1000, max_running_per_member=1000)
    settings.CHAT_MAX_RUNNING = 20
    crowd(member, deployment, 200)
    running = [claim_next() for _ in range(20)]
    (single,) = crowd(outsider, deployment, 1)
    assert claim_next() is None

    assert running[0] is not None
    Generation.objects.filter(pk=running[0].pk).update(status=Status.COMPLETED)

    assert claim_next() == single
