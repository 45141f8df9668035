"""The admin of tenants and how they are set up."""

import uuid
from dataclasses import dataclass
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
from unfold.widgets import UnfoldAdminColorInputWidget, UnfoldAdminFileFieldWidget

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
    "reports_for": Right.RUN_SETTINGS,
    "retention_days": Right.RUN_SETTINGS,
    "investigation_notice_days": Right.RUN_SETTINGS,
    "default_system_prompt": Right.RUN_PROMPTS,
}
_MAY_BE_EDITED = (*EDITORS, "slug", "status", "max_running")


@dataclass(frozen=True)
class KeptLogo:
    """The logo that a tenant has, as an upload field knows it."""

    url: str

    def __str__(self) -> str:
        return "The present logo"


class LogoField(forms.FileField):
    """An upload that becomes the PNG to keep; False: the logo is to go."""

    widget = UnfoldAdminFileFieldWidget(
        {"accept": ",".join(logos.TYPES.values()), "data-max-bytes": str(logos.MAX_BYTES)}
    )

    def clean(self, data: Any, initial: Any = None) -> Any:
        """Bytes of a PNG, False, or what was there."""
        upload = super().clean(data, initial)
        return logos.remade(upload) if isinstance(upload, UploadedFile) else upload


class TenantForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A tenant with its logo, which has a table of its own."""

    logo_file = LogoField(
        label="New logo",
        required=False,
        help_text=(
            "PNG, JPEG or WebP, up to 1 MB and 4096 pixels a side. Shown to members beside the"
            " name, on a light ground."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        url = logo_address(self.instance) if "logo_file" in self.fields else ""
        if url:
            self.initial["logo_file"] = KeptLogo(url)


def logo_address(tenant: Tenant) -> str:
    """Where the admin shows this tenant's logo; "" where it has none."""
    digest = logos.digest_of(tenant)
    address = reverse("admin:tenants_tenant_logo", args=[tenant.pk])
    return f"{address}?v={digest[:12]}" if digest else ""


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
        (None, {"fields": (("name", "slug"), ("status", "max_running"))}),
        (
            "Shown to members",
            {"fields": ("notice", ("accent_colour", "shown_logo"), "logo_file")},
        ),
        ("Prompts", {"fields": ("default_system_prompt",)}),
        (
            "Rules",
            {"fields": (("reports_for", "retention_days", "investigation_notice_days"),)},
        ),
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
        """Without the upload for those who may not change the logo: it shows nothing by itself."""
        left_out = {"logo_file"} if not self._may_edit(request, "logo_file", obj) else set()
        left_out |= {"shown_logo"} if obj is None else set()
        return [
            (title, {**options, "fields": _without(left_out, options["fields"])})
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
        elif logo is False and logos.remove(obj):
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

    @admin.display(description="Logo", empty_value="None yet")
    def shown_logo(self, tenant: Tenant) -> str | None:
        """The logo itself."""
        address = logo_address(tenant)
        if not address:
            return None
        return format_html('<img class="tenant-logo" src="{}" alt="The present logo">', address)

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


def _without(names: set[str], fields: Any) -> list[Any]:
    """The fields and lines of fields of a fieldset that remain."""
    lines = [
        tuple(name for name in line if name not in names) if isinstance(line, tuple) else line
        for line in fields
    ]
    return [line for line in lines if line and line not in names]
