"""The admin of tenants and how they are set up."""

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from unfold.decorators import display

from tenants.admin.base import AuditedAdmin
from tenants.admin.people import MembershipInline
from tenants.models import Tenant


@admin.register(Tenant)
class TenantAdmin(AuditedAdmin):
    """Tenants and who belongs to them."""

    tenant_path = ""
    kept_because = "Tenants are never deleted here. Set the status to suspended instead."
    list_display = ("name", "slug", "shown_status", "members", "max_running", "created_at")
    list_filter = ("status",)
    search_fields = ("slug", "name")
    fields = (
        ("name", "slug"),
        ("status", "max_running"),
        "notice",
        "accent_colour",
        ("id", "created_at"),
    )
    readonly_fields = ("id", "created_at")
    inlines = (MembershipInline,)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        """With the number of active members."""
        active = Q(memberships__is_active=True)
        query = super().get_queryset(request)
        return query.annotate(members=Count("memberships", filter=active))  # type: ignore[no-any-return]  # as above

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """The slug is chosen once: it is part of every address that people have kept."""
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    @display(
        description="Status", ordering="status", label={"active": "success", "suspended": "danger"}
    )  # type: ignore[untyped-decorator]  # as above
    def shown_status(self, tenant: Tenant) -> str:
        """The status as a coloured label."""
        return tenant.status

    @admin.display(description="Members", ordering="members")
    def members(self, tenant: Any) -> int:
        """How many active members it has."""
        return int(tenant.members)
