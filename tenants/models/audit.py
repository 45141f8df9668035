"""The log of what was done, which nobody can change unnoticed."""

import uuid

from django.db import models

from tenants.ledger import AppendOnlyQuerySet
from tenants.models.organisations import Tenant
from tenants.models.people import User


class AuditEvent(models.Model):
    """That somebody did something worth answering for. Append-only: kept as it was written.

    The events of a tenant, and those of the platform, each form a chain: the database numbers them
    and gives each the hash of its content and of the event before it (tenants/auditchain.py).
    """

    database_rights = "SELECT, INSERT"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="audit_events"
    )
    actor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="audit_events"
    )
    action = models.CharField(max_length=60, help_text="object.past-participle")
    subject = models.CharField(
        max_length=100, blank=True, help_text="model:id of what it was done to"
    )
    request_id = models.CharField(max_length=64, blank=True)
    client_address = models.GenericIPAddressField(
        null=True, blank=True, help_text="As seen through the trusted gateway."
    )
    detail = models.JSONField(default=dict, blank=True)
    sequence = models.BigIntegerField(
        default=0, editable=False, help_text="Its place in the chain, from 1; the database sets it."
    )
    previous_hash = models.CharField(max_length=64, default="", editable=False)
    hash = models.CharField(max_length=64, default="", editable=False)

    objects = AppendOnlyQuerySet["AuditEvent"].as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            # The log of one tenant, newest first.
            models.Index(fields=["tenant", "-created_at"], name="audit_by_tenant"),
            # The log of all tenants, newest first.
            models.Index(fields=["-created_at"], name="audit_by_time"),
        ]
        constraints = [
            # No two events in one place of a chain; also the order in which it is verified.
            models.UniqueConstraint(
                fields=["tenant", "sequence"], nulls_distinct=False, name="one_event_per_place"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class AuditHead(models.Model):
    """Where the chain of a tenant (or of the platform) ends, so that a missing end is found too.

    Written by the database alone, with each event.
    """

    database_rights = "SELECT"

    tenant = models.ForeignKey(
        Tenant, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    sequence = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            # One chain for the platform.
            models.UniqueConstraint(
                fields=["tenant"], nulls_distinct=False, name="one_audit_chain"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} events of {self.tenant_id or 'the platform'}"
