"""Tenants: the organisations that people belong to, and how each of them is set up."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from tenants.validators import validate_colour, validate_name, validate_slug_is_free


class Tenant(models.Model):
    """An organisation whose staff chat here, apart from all others.

    Created by a platform administrator; suspended rather than deleted while anything of it is kept.
    """

    class Status(models.TextChoices):
        """Whether its members may work."""

        ACTIVE = "active"
        SUSPENDED = "suspended"

    class ReportReaders(models.TextChoices):
        """The least role that sees the tenant's reports."""

        OWNER = "owner", "Owners"
        MANAGER = "manager", "Managers and owners"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(
        max_length=50,
        unique=True,
        validators=[validate_slug_is_free],
        help_text="First part of the tenant's addresses.",
    )
    name = models.CharField(max_length=100, validators=[validate_name])
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    notice = models.TextField(
        blank=True, max_length=2000, help_text="Shown to members: what may be entered here."
    )
    accent_colour = models.CharField(max_length=7, default="#2f5d8a", validators=[validate_colour])
    max_running = models.PositiveIntegerField(
        default=20,
        validators=[MinValueValidator(1)],
        help_text="How many answers may be written at once; further ones wait in the queue.",
    )
    max_running_per_member = models.PositiveIntegerField(
        default=10,
        db_default=10,
        validators=[MinValueValidator(1)],
        help_text="How many of them may be one member's.",
    )
    max_queued_per_member = models.PositiveIntegerField(
        default=20,
        db_default=20,
        validators=[MinValueValidator(1)],
        help_text="How many messages of one member may wait; a further one is refused.",
    )
    generates_titles = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Whether the default model names new conversations; it is billed like an answer.",
    )
    default_system_prompt = models.TextField(
        blank=True,
        max_length=20_000,
        help_text="Sent to the model before every new conversation of the tenant.",
    )
    reports_for = models.CharField(
        max_length=10,
        choices=ReportReaders.choices,
        default=ReportReaders.MANAGER,
        help_text="Who may see the tenant's reports.",
    )
    retention_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(36_500)],
        help_text="Conversations untouched for this many days are deleted. Empty: kept.",
    )
    investigation_notice_days = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(365)],
        help_text=(
            "How many days after an investigation the member is told that their conversation was"
            " read. 0: as soon as it is over."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class TenantLogo(models.Model):
    """A tenant's logo: a PNG of at most 512 pixels a side, made anew from what was uploaded.

    In the database, because web processes share no disk. Goes with its tenant.
    """

    tenant = models.OneToOneField(
        Tenant, primary_key=True, on_delete=models.CASCADE, related_name="logo"
    )
    content = models.BinaryField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content, in hex.")
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"logo of {self.tenant_id}"
