"""The admin of the catalogue, and of which tenant may use what."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count
from django.http import HttpRequest
from unfold.admin import TabularInline

from chat.models import Deployment, DeploymentGrant
from tenants.admin.base import AuditedAdmin, Confined, FixedOnceSaved


class GrantForm(FixedOnceSaved):
    """Lets a tenant use the deployment; a tenant has one default."""

    fixed_fields = ("tenant",)

    def clean(self) -> dict[str, Any]:
        """Name the deployment that is the tenant's default already."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("is_default") and cleaned.get("tenant"):
            defaults = DeploymentGrant.objects.filter(tenant=cleaned["tenant"], is_default=True)
            other = defaults.exclude(pk=self.instance.pk).select_related("deployment").first()
            if other:
                text = f"“{other.deployment}” is the default of this tenant. Change it there first."
                self.add_error("is_default", ValidationError(text))
        return cleaned


class GrantInline(Confined, TabularInline):  # type: ignore[misc]  # unfold ships no types
    """The tenants that may use a deployment. Taking a grant away withdraws the model at once."""

    model = DeploymentGrant
    form = GrantForm
    extra = 0
    autocomplete_fields = ("tenant",)
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[DeploymentGrant]:
        """With both ends, which every row names."""
        return super().get_queryset(request).select_related("tenant", "deployment")  # type: ignore[no-any-return]  # as above


@admin.register(Deployment)
class DeploymentAdmin(AuditedAdmin):
    """The catalogue. `manage.py sync_deployments` overwrites what its file names."""

    kept_because = "Deployments are never deleted here. Take “Active” away instead."
    list_display = (
        "label",
        "name",
        "kind",
        "model",
        "context_window",
        "input_price",
        "output_price",
        "tenants",
        "is_active",
    )
    list_filter = ("is_active", "kind", "grants__tenant")
    search_fields = ("name", "label", "model")
    fieldsets = (
        (None, {"fields": (("label", "name"), "purpose", "is_active")}),
        ("Call", {"fields": (("kind", "model"), "endpoint", "context_window")}),
        ("Price", {"fields": (("input_price", "output_price"),)}),
        ("Facts", {"fields": (("id", "created_at"),)}),
    )
    readonly_fields = ("id", "created_at")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (GrantInline,)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Deployment]:
        """With the number of tenants that may use it."""
        return super().get_queryset(request).annotate(tenants=Count("grants"))  # type: ignore[no-any-return]  # as above

    def get_readonly_fields(self, request: HttpRequest, obj: Deployment | None = None) -> Any:
        """The name is chosen once: catalogue files know the deployment by it."""
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    @admin.display(description="Tenants", ordering="tenants")
    def tenants(self, deployment: Any) -> int:
        """How many tenants may use it."""
        return int(deployment.tenants)
