"""The admin of tenants and how they are set up."""

import uuid
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.db import models
from django.db.models import Count, Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminColorInputWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldBooleanSwitchWidget,
)

from tenants import logos
from tenants.admin.base import AuditedAdmin, record_change
from tenants.admin.memberships import MembershipInline
from tenants.models import Tenant
from tenants.rights import Right

# Who may change a field; the other fields are the platform administrators'. All of them are shown.
EDITORS = {
    "name": Right.RUN_SETTINGS,
    "notice": Right.RUN_SETTINGS,
    "accent_colour": Right.RUN_SETTINGS,
    "logo_file": Right.RUN_SETTINGS,
    "remove_logo": Right.RUN_SETTINGS,
    "reports_for": Right.RUN_SETTINGS,
    "retention_days": Right.RUN_SETTINGS,
    "default_system_prompt": Right.RUN_PROMPTS,
    "generates_titles": Right.RUN_MODELS,
}
_LIMITS = ("max_running", "max_running_per_member", "max_queued_per_member")
# The delay is not for those whom it restrains.
_MAY_BE_EDITED = (*EDITORS, *_LIMITS, "slug", "status", "investigation_notice_days")


class LogoField(forms.FileField):
    """An upload, which becomes the PNG to keep."""

    widget = UnfoldAdminFileFieldWidget(
        {"accept": ",".join(logos.TYPES.values()), "data-max-bytes": str(logos.MAX_BYTES)}
    )

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Bytes of a PNG, or nothing."""
        upload = super().clean(data, initial)
        return logos.remade(upload) if isinstance(upload, UploadedFile) else None


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A tenant with its logo, which has a table of its own."""

    logo_file = LogoField(
        label="New logo",
        required=False,
        help_text=(
            "PNG, JPEG or WebP, up to 1 MB and 2048 pixels a side. Members see it beside the name,"
            " in the dark on a light ground."
        ),
    )
    remove_logo = forms.BooleanField(
        label="Remove the logo", required=False, widget=UnfoldBooleanSwitchWidget
    )

    def clean(self) -> dict[str, Any]:
        """Not a new logo and none."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("logo_file") and cleaned.get("remove_logo"):
            self.add_error("remove_logo", "Either upload a new logo, or remove the one there is.")
        return cleaned


@admin.register(Tenant)
class TenantAdmin(AuditedAdmin):
    """Tenants and how they are set up. Each person may change what EDITORS and `inlines` say."""

    tenant_path = ""
    # Who comes here may at least do this.
    sees = changes = Right.RUN_PROMPTS
    kept_because = "Tenants are never deleted here. Set the status to suspended instead."
    form = TenantForm
    list_display = ("name", "slug", "shown_status", "members", "max_running", "created_at")
    list_filter = ("status",)
    search_fields = ("slug", "name")
    ordering = ("name",)
    fieldsets = (
        (None, {"fields": (("name", "slug"), "status")}),
        (
            "Shown to members",
            {"fields": ("notice", "accent_colour", "shown_logo", "logo_file", "remove_logo")},
        ),
        ("Prompts and titles", {"fields": ("default_system_prompt", "generates_titles")}),
        (
            "Rules",
            {"fields": ("reports_for", "retention_days", "investigation_notice_days")},
        ),
        ("Limits", {"fields": _LIMITS}),
        ("Facts", {"fields": (("id", "created_at"),)}),
    )
    readonly_fields = ("id", "created_at", "shown_logo")
    inlines: ClassVar[tuple[type, ...]] = (MembershipInline,)

    @classmethod
    def add_inline(cls, inline: type) -> None:
        """Show on a tenant's page what another app knows about it."""
        cls.inlines = (*cls.inlines, inline)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Platform administrators alone."""
        return self.may(request, None)

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Tenant]:
        """With the number of active members."""
        active = Q(memberships__is_active=True)
        query = super().get_queryset(request)
        return query.annotate(members=Count("memberships", filter=active))  # type: ignore[no-any-return]  # as above

    def get_fieldsets(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """Without what is of no use here: logos for those who cannot change them, or before one."""
        has_logo = obj is not None and bool(logos.digest_of(obj))
        needless = set() if has_logo else {"remove_logo", "shown_logo"}
        if not self._may_edit(request, "logo_file", obj):
            needless |= {"logo_file", "remove_logo"}
        return [
            (title, {**options, "fields": [f for f in options["fields"] if f not in needless]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> Any:
        """What is not the person's; and the slug, which is part of addresses that people keep."""
        fixed = [name for name in _MAY_BE_EDITED if not self._may_edit(request, name, obj)]
        slug = ["slug"] if obj else []
        return (*self.readonly_fields, *dict.fromkeys([*fixed, *slug]))

    def _may_edit(self, request: HttpRequest, name: str, obj: Tenant | None) -> bool:
        return self.may(request, EDITORS.get(name), obj)

    def formfield_for_dbfield(
        self, db_field: "models.Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        """The colour is picked."""
        if db_field.name == "accent_colour":
            kwargs["widget"] = UnfoldAdminColorInputWidget()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Save, with the logo."""
        super().save_model(request, obj, form, change)
        logo = form.cleaned_data.get("logo_file")
        if isinstance(logo, bytes):
            record_change(request, "logo-changed", obj, digest=logos.keep(obj, logo))
        elif form.cleaned_data.get("remove_logo") and logos.remove(obj):
            record_change(request, "logo-removed", obj)

    def get_urls(self) -> list[URLPattern]:
        """With the logo's address."""
        view = self.admin_site.admin_view(self.show_logo)
        logo = path("<uuid:tenant_id>/logo/", view, name="tenants_tenant_logo")
        return [logo, *super().get_urls()]

    def show_logo(self, request: HttpRequest, tenant_id: uuid.UUID) -> HttpResponseBase:
        """The logo of a tenant that the person may see."""
        tenant = self.get_object(request, str(tenant_id))
        if tenant is None:
            raise Http404
        return logos.serve(request, tenant)

    @admin.display(description="Logo")
    def shown_logo(self, tenant: Tenant) -> str:
        """The logo itself."""
        address = reverse("admin:tenants_tenant_logo", args=[tenant.pk])
        version = logos.digest_of(tenant)[:12]
        return format_html(
            '<img class="tenant-logo" src="{}?v={}" alt="The present logo">', address, version
        )

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
