"""The audit log's one writer."""

from django.db import models

from tenants.logcontext import client_address, log_context
from tenants.models import AuditEvent, Tenant, User


def record(
    action: str,
    *,
    subject: models.Model | None = None,
    actor: User | None = None,
    tenant: Tenant | None = None,
    **detail: object,
) -> AuditEvent:
    """Write an audit event; `action` is `object.past-participle`, `detail` has no message text.

    Without a tenant it is the platform's, and needs its scope. From here on until the transaction
    ends, the chain is locked and everybody who writes to it waits: so it comes last, after every
    other lock and everything slow, and several tenants' in the order of their ids.
    """
    return AuditEvent.objects.create(
        action=action,
        subject=f"{subject._meta.label_lower}:{subject.pk}" if subject else "",
        actor=actor,
        tenant=tenant,
        request_id=log_context.get().get("request", ""),
        client_address=client_address.get(),
        detail=detail,
    )
