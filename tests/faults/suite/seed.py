"""Fills the suite's database: two tenants, their people, the deployments. Prints JSON.

Run by portal.py as a process of its own: `python -m tests.faults.suite.seed DEPLOYMENTS`, a JSON
object of name: {"kind", "endpoint", "model"}.
"""

import json
import os
import sys

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

from chat.models import Deployment, DeploymentGrant
from tenants.models import Tenant
from tenants.scope import platform_scope
from tenants.services import create_member, create_tenant

PASSWORD = "faults-Passw0rd-8kq2"  # of a database that lives as long as the run
TENANTS, PEOPLE = 2, 4
MANY = 1_000  # limits that never bind


def seed(deployments: dict[str, dict[str, str]]) -> dict[str, object]:
    """Accounts, and the ids of the deployments by name."""
    made = [
        Deployment.objects.create(
            name=name, label=name, context_window=400_000, input_price=1, output_price=4, **fields
        )
        for name, fields in deployments.items()
    ]
    accounts = [account for number in range(TENANTS) for account in _people_of(number, made)]
    return {"people": accounts, "deployments": {each.name: str(each.pk) for each in made}}


def _people_of(number: int, deployments: list[Deployment]) -> list[dict[str, str]]:
    slug = f"faults-{number}"
    tenant = create_tenant(slug=slug, name=f"Faults {number}", generates_titles=False)
    Tenant.objects.filter(pk=tenant.pk).update(
        max_running=MANY, max_running_per_member=MANY, max_queued_per_member=MANY
    )
    for place, deployment in enumerate(deployments):
        DeploymentGrant.objects.create(tenant=tenant, deployment=deployment, is_default=place == 0)
    emails = [f"person{seat}@{slug}.example" for seat in range(PEOPLE)]
    for email in emails:
        create_member(tenant=tenant, email=email, role="member", password=PASSWORD)
    return [{"email": email, "password": PASSWORD, "tenant": slug} for email in emails]


if __name__ == "__main__":
    with platform_scope("a new database for the fault suite"):
        print(json.dumps(seed(json.loads(sys.argv[1]))))
