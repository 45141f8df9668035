"""The ledger of what was used."""

import uuid

from django.db import models

from chat.models.catalogue import Deployment
from tenants.ledger import AppendOnlyQuerySet
from tenants.models import Tenant, User


class UsageEntry(models.Model):
    """What one generation used and cost, at the prices of that moment.

    Append-only, and stays when the conversation goes: it names the generation by id alone. At most
    one entry per generation.
    """

    database_rights = "SELECT, INSERT"

    class Purpose(models.TextChoices):
        """What the model was called for."""

        ANSWER = "answer"
        TITLE = "title"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="usage_entries")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="usage_entries")
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="usage_entries"
    )
    purpose = models.CharField(
        max_length=10,
        choices=Purpose.choices,
        default=Purpose.ANSWER,
        db_default=Purpose.ANSWER,
    )
    # One bill per run: the generation's id, or for a title its conversation's.
    generation_id = models.UUIDField(unique=True)
    input_tokens = models.PositiveIntegerField()
    output_tokens = models.PositiveIntegerField()
    is_estimate = models.BooleanField(
        default=False, help_text="The provider gave no figures: counted by our own estimate."
    )
    input_price = models.DecimalField(max_digits=12, decimal_places=6)
    output_price = models.DecimalField(max_digits=12, decimal_places=6)
    cost = models.DecimalField(max_digits=20, decimal_places=12)

    objects = AppendOnlyQuerySet["UsageEntry"].as_manager()

    class Meta:
        verbose_name_plural = "usage entries"
        ordering = ["-created_at"]
        indexes = [
            # Reports of one tenant over a period.
            models.Index(fields=["tenant", "created_at"], name="usage_by_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.input_tokens} + {self.output_tokens} tokens"
