"""The admin of the catalogue, which is the platform's."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count
from django.http import HttpRequest

from chat.admin.grants import TenantsInline
from chat.admin.pauses import Pausable
from chat.models import Deployment, DeploymentGrant
from tenants.access import access_of
from tenants.admin.base import AuditedAdmin


@admin.register(Deployment)
class DeploymentAdmin(Pausable, AuditedAdmin):
    """The catalogue. `manage.py sync_deployments` overwrites what its file names.

    For administrators alone; managers see their tenant's models on the tenant's page.
    """

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
        "shown_pause",
    )
    list_select_related = ("pause",)
    list_filter = ("is_active", "kind", "grants__tenant")
    search_fields = ("name", "label", "model")
    ordering = ("label",)
    fieldsets = (
        (None, {"fields": (("label", "name"), "purpose", ("is_active", "told_pause"))}),
        ("Call", {"fields": (("kind", "model"), "endpoint", "context_window")}),
        ("Price", {"fields": (("input_price", "output_price"),)}),
        ("Facts", {"fields": (("id", "created_at"),)}),
    )
    readonly_fields = ("id", "created_at", "told_pause")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (TenantsInline,)

    def confine(self, request: HttpRequest, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Where somebody chooses a model to look for: those of the tenants that they run."""
        access = access_of(request)
        if access.is_administrator:
            return rows
        granted = DeploymentGrant.objects.filter(tenant__in=access.tenants)
        return rows.filter(pk__in=granted.values("deployment"))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Deployment]:
        """With the number of tenants that may use it."""
        return super().get_queryset(request).annotate(tenants=Count("grants"))  # type: ignore[no-any-return]  # unfold ships no types

    def get_readonly_fields(self, request: HttpRequest, obj: Deployment | None = None) -> Any:
        """The name is chosen once: catalogue files know the deployment by it."""
        return (*self.readonly_fields, "name") if obj else self.readonly_fields

    @admin.display(description="Tenants", ordering="tenants")
    def tenants(self, deployment: Any) -> int:
        """How many tenants may use it."""
        return int(deployment.tenants)
