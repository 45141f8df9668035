"""Fills the benchmark's database: tenants, people, one deployment. Prints the accounts as JSON.

Run by tests/bench/stack.py in a process of its own, after `django.setup()`.
"""

import json
import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Message
from tenants.models import Membership
from tenants.scope import platform_scope
from tenants.services import create_member, create_tenant

LIMIT = 10_000
PASSWORD = "bench-Passw0rd-8kq2"  # of a database that lives as long as the run


def seed(tenants: int = 4, people: int = 8) -> list[dict[str, str]]:
    """`people` members, spread evenly over the tenants, whose limits never bind."""
    deployment = Deployment.objects.create(
        name="bench",
        label="Bench",
        kind=Deployment.Kind.OPENAI,
        model="bench",
        context_window=128_000,
        input_price=1,
        output_price=4,
    )
    accounts = []
    for number in range(tenants):
        slug = f"bench-{number}"
        tenant = create_tenant(slug=slug, name=f"Bench {number}", max_running=LIMIT)
        tenant.max_running_per_member = tenant.max_queued_per_member = LIMIT
        tenant.generates_titles = False
        tenant.save()
        DeploymentGrant.objects.create(tenant=tenant, deployment=deployment, is_default=True)
        for seat in range(people // tenants):
            email = f"person{seat}@{slug}.example"
            member = create_member(tenant=tenant, email=email, role="member", password=PASSWORD)
            _talk(member, deployment)
            accounts.append({"email": email, "password": PASSWORD, "tenant": slug})
    return accounts


def _talk(member: Membership, deployment: Deployment, conversations: int = 40) -> None:
    """Old conversations, so that the list has a full page."""
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(
            tenant=member.tenant,
            owner=member.user,
            title=f"Question {number}",
            deployment=deployment,
            request_id=uuid.uuid4(),
            active_at=now - timedelta(hours=number + 1),
        )
        for number in range(conversations)
    )


def wait_in_vain(count: int) -> list[dict[str, str]]:
    """So many generations that stay in the queue, dealt out to the people; their streams."""
    members = list(Membership.objects.filter(tenant__slug__startswith="bench-"))
    deployment = Deployment.objects.get(name="bench")
    return [_wait(members[number % len(members)], deployment) for number in range(count)]


def _wait(member: Membership, deployment: Deployment) -> dict[str, str]:
    common: dict[str, Any] = {"tenant": member.tenant, "deployment": deployment}
    conversation = Conversation.objects.create(
        owner=member.user,
        title="Waits",
        request_id=uuid.uuid4(),
        active_at=timezone.now(),
        **common,
    )
    prompt = Message.objects.create(
        tenant=member.tenant, conversation=conversation, role=Message.Role.USER, content="Wait."
    )
    generation = Generation.objects.create(
        conversation=conversation,
        user=member.user,
        prompt=prompt,
        request_id=uuid.uuid4(),
        not_before=timezone.now() + timedelta(days=1),
        **common,
    )
    path = f"/{member.tenant.slug}/g/{generation.pk}/events/"
    return {"email": member.user.email, "path": path}


def main_waiting(count: int) -> None:
    with platform_scope("streams that are open and silent"):
        print(json.dumps(wait_in_vain(count)))


def main() -> None:
    with platform_scope("a new database for the benchmark"):
        print(json.dumps(seed()))
