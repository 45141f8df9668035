"""The models that can be called, and which tenant may call which."""

import uuid
from decimal import Decimal
from typing import Self
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef

from tenants.models import Membership, Tenant

_MILLION = Decimal(1_000_000)


def validate_endpoint(endpoint: str) -> None:
    """Refuse an address that no key or identity token may be sent to."""
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or parts.hostname not in settings.MODEL_HOSTS:
        raise ValidationError("The endpoint's host is not among the hosts that models may be on.")


class DeploymentQuerySet(models.QuerySet["Deployment"]):
    """Deployments, narrowed."""

    def granted_to(self, tenant: Tenant) -> Self:
        """Active deployments that this tenant may use, its default first."""
        return self.filter(is_active=True, grants__tenant=tenant, grants__is_offered=True).order_by(
            "-grants__is_default", "label"
        )

    def visible_to(self, member: Membership) -> Self:
        """Deployments that this member may use."""
        return self.granted_to(member.tenant)


class Deployment(models.Model):
    """A named model that can be called: one entry of the platform's catalogue.

    Belongs to the platform; tenants get it by a grant. Switched off rather than deleted, because
    messages and usage name it.
    """

    class Kind(models.TextChoices):
        """How it is called."""

        AZURE = "azure", "Azure OpenAI"
        OPENAI = "openai", "OpenAI-compatible"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.SlugField(max_length=60, unique=True, help_text="Its key in the catalogue file.")
    label = models.CharField(max_length=80, help_text="The name that members see.")
    purpose = models.CharField(max_length=200, blank=True, help_text="What it is good for.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    endpoint = models.URLField(
        blank=True,
        validators=[validate_endpoint],
        help_text="Empty: the platform's endpoint of this kind.",
    )
    model = models.CharField(max_length=120, help_text="The model or deployment name in the call.")
    context_window = models.PositiveIntegerField(
        help_text="Tokens of prompt and reply together.", validators=[MinValueValidator(256)]
    )
    input_price = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
        help_text="Per million input tokens.",
    )
    output_price = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        default=Decimal(0),
        validators=[MinValueValidator(0)],
        help_text="Per million output tokens.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        ordering = ["label"]

    def __str__(self) -> str:
        return self.label

    def cost(self, *, input_tokens: int, output_tokens: int) -> Decimal:
        """What these tokens cost at today's prices, in the catalogue's currency, unrounded."""
        return (input_tokens * self.input_price + output_tokens * self.output_price) / _MILLION


class DeploymentGrantQuerySet(models.QuerySet["DeploymentGrant"]):
    """Grants, narrowed."""

    def with_fallback(self) -> Self:
        """Those whose fallback may be called: granted to the same tenant, offered and active."""
        offered = DeploymentGrant.objects.filter(
            tenant=OuterRef("tenant"), deployment=OuterRef("fallback"), is_offered=True
        )
        return self.filter(Exists(offered), fallback__is_active=True)


class DeploymentGrant(models.Model):
    """That a tenant may use a deployment; one of a tenant's grants is its default.

    Given by the platform; the tenant's managers choose the default and what is offered.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="grants")
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="grants")
    is_default = models.BooleanField(default=False)
    is_offered = models.BooleanField(
        default=True, help_text="Whether the tenant's members may choose it."
    )
    fallback = models.ForeignKey(
        Deployment,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Another of the tenant's models, which answers while this one is paused.",
    )

    objects = DeploymentGrantQuerySet.as_manager()

    class Meta:
        constraints = [
            # A deployment is granted once, and the lookup of a tenant's models uses it.
            models.UniqueConstraint(fields=["tenant", "deployment"], name="one_grant"),
            # At most one default per tenant.
            models.UniqueConstraint(
                fields=["tenant"], condition=models.Q(is_default=True), name="one_default_grant"
            ),
            # What is paused cannot stand in for itself.
            models.CheckConstraint(
                condition=~models.Q(fallback=models.F("deployment")),
                name="fallback_is_another",
                violation_error_message="A model cannot stand in for itself.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deployment} for {self.tenant}"
