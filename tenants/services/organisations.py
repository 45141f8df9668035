"""Tenants: made, found, and locked while their people change."""

import uuid

from django.db import connection, transaction

from tenants.errors import AlreadyExists, UnknownTenant
from tenants.models import Tenant, User
from tenants.services.audit import record

_PEOPLE = 7_065_112  # the kind of advisory lock; the other half of its key is the tenant


@transaction.atomic
def create_tenant(*, slug: str, name: str, actor: User | None = None, **fields: object) -> Tenant:
    """A new active tenant. Raises AlreadyExists, or ValidationError for a bad slug or field."""
    if Tenant.objects.filter(slug=slug).exists():
        raise AlreadyExists(f"There is already a tenant “{slug}”.")
    tenant = Tenant(slug=slug, name=name, **fields)
    tenant.full_clean()
    tenant.save()
    record("tenant.created", subject=tenant, actor=actor, tenant=tenant)
    return tenant


def get_tenant(slug: str) -> Tenant:
    """The tenant with this slug, or UnknownTenant."""
    try:
        return Tenant.objects.get(slug=slug)
    except Tenant.DoesNotExist:
        raise UnknownTenant(f"There is no tenant “{slug}”.") from None


def lock_tenant(tenant_id: uuid.UUID) -> Tenant:
    """The tenant, whose people nobody else changes until the transaction ends.

    Every service that changes who belongs, with which role, or who is invited, takes this lock
    first: what it reads afterwards (is there another owner?) stays true until it commits. It is not
    the row's own lock, for which the claim of every tenant's next answer would wait.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_PEOPLE, str(tenant_id)])
    return Tenant.objects.get(pk=tenant_id)
