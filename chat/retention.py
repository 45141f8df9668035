"""Deleting conversations that their tenant does not keep any longer."""

import logging
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from chat.models import Conversation, Generation
from tenants.models import Tenant
from tenants.scope import platform_scope, tenant_scope
from tenants.services import record

logger = logging.getLogger(__name__)

# Conversations of one transaction: it holds their locks, and all their messages' ids in memory.
_BATCH = 50


def delete_expired() -> dict[str, int]:
    """Delete the conversations that are older than their tenant's `retention_days`.

    The age is the time since a conversation was last written to. One with a live generation stays
    until the next time; usage entries stay for ever. Each batch is a transaction with an audit
    event, so that nothing is deleted without one. Returns how many went, by the tenant's slug.
    Safe to repeat, and to run in several processes at once.
    """
    deleted = {}
    for tenant, before in _limits():
        if count := _delete_of_tenant(tenant, before):
            deleted[tenant.slug] = count
            logger.info("retention: %d conversations of %s deleted", count, tenant.slug)
    return deleted


def count_expired() -> dict[str, int]:
    """How many conversations `delete_expired` would delete now, by the tenant's slug."""
    counts = {}
    for tenant, before in _limits():
        with tenant_scope(tenant):
            if count := _expired(tenant, before).count():
                counts[tenant.slug] = count
    return counts


def _limits() -> list[tuple[Tenant, datetime]]:
    """The tenants that do not keep everything, and the time before which theirs goes."""
    now = timezone.now()
    with platform_scope("retention: which tenants do not keep everything"):
        tenants = list(Tenant.objects.exclude(retention_days=None).order_by("slug"))
    return [(tenant, now - timedelta(days=tenant.retention_days or 0)) for tenant in tenants]


def _expired(tenant: Tenant, before: datetime) -> QuerySet[Conversation]:
    live = Generation.objects.live().filter(conversation=OuterRef("pk"))
    return Conversation.objects.filter(~Exists(live), tenant=tenant, active_at__lt=before)


def _delete_of_tenant(tenant: Tenant, before: datetime) -> int:
    total = 0
    while deleted := _delete_batch(tenant, before):
        total += deleted
    return total


def _delete_batch(tenant: Tenant, before: datetime) -> int:
    with tenant_scope(tenant):
        expired = _expired(tenant, before).order_by("active_at")
        # Every send takes this lock and moves `active_at`: what is locked here stays expired, and
        # what somebody else has locked is no longer, or is being deleted.
        locked = expired.select_for_update(of=("self",), skip_locked=True)[:_BATCH]
        ids = [conversation.pk for conversation in locked.only("pk")]
        if ids:
            Conversation.objects.filter(pk__in=ids).delete()
            record("conversation.expired", subject=tenant, tenant=tenant, conversations=len(ids),
                   untouched_since=before.isoformat())  # fmt: skip
    return len(ids)
