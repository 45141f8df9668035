"""Fills the benchmark's database: tenants, people, one deployment. Prints the accounts as JSON.

Run by tests/bench/stack.py in a process of its own, after `django.setup()`.
"""

import json
import uuid
from datetime import timedelta

from django.utils import timezone

from chat.models import Conversation, Deployment, DeploymentGrant
from tenants.models import Membership
from tenants.scope import platform_scope
from tenants.services import create_member, create_tenant

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
        tenant = create_tenant(slug=slug, name=f"Bench {number}", max_running=1000)
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


def main() -> None:
    with platform_scope("a new database for the benchmark"):
        print(json.dumps(seed()))
