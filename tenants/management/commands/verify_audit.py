"""`manage.py verify_audit`."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from tenants.auditchain import Verification, find_missing_guards
from tenants.errors import UnknownTenant
from tenants.management.scoped import PlatformCommand
from tenants.models import Tenant
from tenants.services import get_tenant

_PLATFORM = "(platform)"  # no slug looks like this


class Command(PlatformCommand):
    """Recomputes every hash of the audit log."""

    help = (
        "Read the audit log from its first event to its last, recompute every hash, and name each"
        " event that was changed, removed, added or moved. Each tenant has a chain, and so has the"
        " platform. Ends with status 1 when something is wrong. Changes nothing: safe at any time,"
        " also while the portal is in use."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which chain."""
        parser.add_argument("--tenant", metavar="SLUG", help="this tenant's chain alone")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify chain by chain."""
        faults = self._look_at_guards()
        for name, tenant in _chains(options["tenant"]):
            faults += self._verify(name, tenant)
        if faults:
            raise CommandError(
                f"The audit log is not as it was written: {_count(faults, 'fault')}."
            )

    def _look_at_guards(self) -> int:
        missing = find_missing_guards()
        for guard in missing:
            self.stdout.write(f"the trigger {guard} is not in force")
        return len(missing)

    def _verify(self, name: str, tenant: uuid.UUID | None) -> int:
        """Say what is wrong with this chain; how many things are."""
        chain, faults = Verification(tenant), 0
        for fault in chain.find_faults():
            faults += 1
            self.stdout.write(f"{name}: event {fault.sequence}: {fault.problem}")
        result = _count(faults, "fault") if faults else "complete"
        self.stdout.write(f"{name}: {_count(chain.events, 'event')}, {result}")
        return faults


def _chains(slug: str | None) -> list[tuple[str, uuid.UUID | None]]:
    """Names and ids of the chains to verify."""
    if slug is None:
        tenants = Tenant.objects.order_by("slug").values_list("slug", "pk")
        return [(_PLATFORM, None), *tenants]
    try:
        return [(slug, get_tenant(slug).pk)]
    except UnknownTenant as error:
        raise CommandError(str(error)) from None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
