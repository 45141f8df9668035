"""Fills the benchmark's database: tenants, people, one deployment. Prints the accounts as JSON.

Run by tests/bench/stack.py in a process of its own, after `django.setup()`.
"""

import json

from chat.models import Deployment, DeploymentGrant
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
            create_member(tenant=tenant, email=email, role="member", password=PASSWORD)
            accounts.append({"email": email, "password": PASSWORD, "tenant": slug})
    return accounts


def main() -> None:
    print(json.dumps(seed()))
