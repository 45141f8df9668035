"""Break-glass: reading one conversation of somebody else, for a written reason."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.utils import timezone

from chat.models.conversations import Conversation
from tenants.models import Tenant, User


class InvestigationQuerySet(models.QuerySet["Investigation"]):
    """Investigations, narrowed."""

    def open(self) -> Self:
        """Those whose conversation can be read now."""
        return self.filter(expires_at__gt=timezone.now())

    def to_be_told(self) -> Self:
        """Those that are over and whose member is to be told of them now."""
        now = timezone.now()
        return self.filter(notified_at=None, notify_at__lte=now, expires_at__lte=now)


def _default_expiry() -> datetime:
    return timezone.now() + timedelta(minutes=Investigation.OPEN_MINUTES)


class Investigation(models.Model):
    """That an owner or administrator may read one conversation for fifteen minutes, and why.

    The member is told afterwards. Outlives the conversation.
    """

    OPEN_MINUTES = 15

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="investigations")
    conversation = models.ForeignKey(
        Conversation,
        null=True,
        on_delete=models.SET_NULL,
        related_name="investigations",
        db_constraint=False,  # the reference carries the tenant: see the migrations
    )
    subject_id = models.UUIDField(help_text="The conversation's id, also when it is gone.")
    member = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", help_text="Whose conversation it is."
    )
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    opened_as = models.CharField(
        max_length=30, help_text="As what they could: owner, or platform administrator."
    )
    reason = models.TextField(max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=_default_expiry)
    ended_at = models.DateTimeField(null=True, help_text="When its end was written down.")
    notify_at = models.DateTimeField(help_text="When the member is to be told.")
    notified_at = models.DateTimeField(null=True)

    objects = InvestigationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            # The sweep that tells members.
            models.Index(
                fields=["notify_at"],
                condition=models.Q(notified_at=None),
                name="investigation_untold",
            ),
        ]

    def __str__(self) -> str:
        return f"investigation {self.pk}"

    @property
    def is_open(self) -> bool:
        """Whether the conversation can be read now."""
        return self.expires_at > timezone.now()
