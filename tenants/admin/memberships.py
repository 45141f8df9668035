"""The admin of who belongs where: roles, switching off, removing; the rules are the services'."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from unfold.admin import TabularInline
from unfold.decorators import action, display

from tenants import services
from tenants.access import access_of
from tenants.admin.acting import acting, giver_in, roles_to_give, try_each
from tenants.admin.base import Confined, SearchById
from tenants.errors import TenantError
from tenants.models import Membership
from tenants.rights import Right, may_give


# ── On the pages of a tenant and a person ──────────────────────────────────────────────────────
class MembershipInline(Confined, TabularInline):  # type: ignore[misc]  # unfold ships no types
    """The memberships of a tenant, or of a person, each with a link to its own page."""

    model = Membership
    extra = 0
    can_delete = False
    show_change_link = True
    fields = readonly_fields = ("user", "tenant", "role", "is_active", "created_at")
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Membership]:
        """With both ends, which every row names."""
        return super().get_queryset(request).select_related("user", "tenant")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, here."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody, here."""
        return False


# ── Pages of their own ─────────────────────────────────────────────────────────────────────────
class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A membership; a change is checked while its tenant is locked, and so holds when saved."""

    giver: ClassVar[Membership | None] = None

    def clean(self) -> None:
        """What the services refuse is an error of the form."""
        super().clean()
        if self.errors or self.instance._state.adding:  # noqa: SLF001  # documented
            return
        try:
            services.ensure_may_change(
                self.instance,
                role=self.cleaned_data.get("role"),
                is_active=self.cleaned_data.get("is_active"),
                giver=self.giver,
            )
        except TenantError as refusal:
            raise ValidationError(str(refusal)) from None


@admin.register(Membership)
class MembershipAdmin(SearchById):
    """Who belongs to a tenant. Managers and owners bring people in by invitation."""

    sees = changes = Right.RUN_PEOPLE
    form = MembershipForm
    warn_unsaved_form = True
    id_fields = ("pk", "user_id")
    list_display = ("person", "email", "shown_role", "state", "last_sign_in", "tenant")
    list_select_related = ("user", "tenant")
    list_filter = ("role", "is_active", "tenant")
    search_fields = ("user__email", "user__name")
    search_help_text = "A name, an e-mail address, or an id"
    ordering = ("user__email", "tenant__name")
    autocomplete_fields = ("user", "tenant")
    actions = ("deactivate", "reactivate", "remove")
    actions_list = ("invite_people",)

    # ── Who may ──
    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators; others invite."""
        return access_of(request).is_administrator

    def has_change_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """Who runs the tenant's people; nobody above themselves."""
        if not super().has_change_permission(request, obj):
            return False
        giver = giver_in(request, obj.tenant) if obj else None
        return giver is None or obj is None or may_give(giver, obj.role)

    def has_delete_permission(self, request: HttpRequest, obj: Membership | None = None) -> bool:
        """As for changing."""
        return self.has_change_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Removing is an action of ours: it says why it is refused."""
        listed: dict[str, Any] = super().get_actions(request)
        listed.pop("delete_selected", None)
        return listed

    # ── The form ──
    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        """Person, tenant and role; once saved, the first two stay."""
        if obj is None:
            return ("user", "tenant", "role")
        facts = (("last_sign_in", "created_at"), ("id",))
        return (("person", "email"), "tenant", "role", "is_active", *facts)

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> Any:
        """All but role and state, once it is saved."""
        facts = ("person", "email", "tenant", "last_sign_in", "created_at", "id")
        return facts if obj else ()

    def get_form(
        self,
        request: HttpRequest,
        obj: Any = None,
        change: bool = False,  # noqa: FBT001, FBT002  # Django's signature
        **kwargs: Any,
    ) -> Any:
        """With who changes it."""
        form = super().get_form(request, obj, change, **kwargs)
        form.giver = giver_in(request, obj.tenant) if obj else None
        return form

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only roles that the person may give."""
        if db_field.name == "role":
            kwargs["choices"] = roles_to_give(request)
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:  # noqa: FBT001  # Django's signature
        """Through the services, which write to the audit log."""
        actor = acting(request)
        if change:
            services.change_member(
                membership=obj,
                role=obj.role,
                is_active=obj.is_active,
                actor=actor,
                giver=form.giver,
            )
            return
        made = services.add_member(tenant=obj.tenant, user=obj.user, role=obj.role, actor=actor)
        obj.pk, obj._state.adding = made.pk, False  # noqa: SLF001  # what saving it would do

    # ── Actions ──
    @admin.action(description="Switch off: keep them out for now", permissions=["change"])
    def deactivate(self, request: HttpRequest, rows: models.QuerySet[Membership]) -> None:
        """Keep these people out."""
        self._switch(request, rows, is_active=False)

    @admin.action(description="Switch on: let them in again", permissions=["change"])
    def reactivate(self, request: HttpRequest, rows: models.QuerySet[Membership]) -> None:
        """Let these people in again."""
        self._switch(request, rows, is_active=True)

    @admin.action(description="Remove from the organisation…", permissions=["change"])
    def remove(
        self, request: HttpRequest, rows: models.QuerySet[Membership]
    ) -> HttpResponse | None:
        """End these memberships, after asking once more."""
        if "confirmed" not in request.POST:
            return self._ask(request, rows)
        gone = try_each(request, _in_order(rows), lambda row: self._remove(request, row))
        if gone:
            messages.success(request, f"Removed: {_names(gone)}.")
        return None

    @action(description="Invite people", url_path="invite", icon="mail")  # type: ignore[untyped-decorator]  # as above
    def invite_people(self, request: HttpRequest) -> HttpResponse:
        """On to the form of invitations."""
        return redirect("admin:tenants_invitation_add")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Remove one person, after asking; or say why not."""
        try:
            return super().delete_view(request, object_id, extra_context)  # type: ignore[no-any-return]  # as above
        except TenantError as refusal:
            messages.error(request, str(refusal))
            return redirect("admin:tenants_membership_change", object_id)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        """Through the services."""
        self._remove(request, obj)

    def _switch(self, request: HttpRequest, rows: Any, *, is_active: bool) -> None:
        def switch(row: Membership) -> None:
            giver = giver_in(request, row.tenant)
            services.change_member(
                membership=row, is_active=is_active, actor=acting(request), giver=giver
            )

        if done := try_each(request, _in_order(rows), switch):
            messages.success(request, f"Switched {'on' if is_active else 'off'}: {_names(done)}.")

    def _remove(self, request: HttpRequest, row: Membership) -> None:
        giver = giver_in(request, row.tenant)
        services.remove_member(membership=row, actor=acting(request), giver=giver)

    def _ask(self, request: HttpRequest, rows: models.QuerySet[Membership]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Remove people",
            "opts": self.opts,
            "memberships": _in_order(rows),
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/tenants/membership/remove.html", context)

    # ── Columns ──
    @admin.display(description="Name", ordering="user__name")
    def person(self, membership: Membership) -> str:
        """The person's name."""
        return membership.user.get_full_name()

    @admin.display(description="E-mail", ordering="user__email")
    def email(self, membership: Membership) -> str:
        """What they sign in with."""
        return membership.user.email

    @display(description="Role", ordering="role", label={"owner": "warning", "manager": "info"})  # type: ignore[untyped-decorator]  # as above
    def shown_role(self, membership: Membership) -> tuple[str, str]:
        """The role as a coloured label."""
        return membership.role, membership.get_role_display()

    @display(description="State", label={"active": "success", "off": "danger", "closed": "danger"})  # type: ignore[untyped-decorator]  # as above
    def state(self, membership: Membership) -> tuple[str, str]:
        """Whether they may come in, as a coloured label."""
        if not membership.user.is_active:
            return "closed", "Account closed"
        return ("active", "Active") if membership.is_active else ("off", "Switched off")

    @admin.display(description="Last sign-in", ordering="user__last_login")
    def last_sign_in(self, membership: Membership) -> str | None:
        """When they last signed in, to any tenant."""
        at = membership.user.last_login
        return date_format(localtime(at), "DATETIME_FORMAT") if at else None


def _in_order(rows: models.QuerySet[Membership]) -> list[Membership]:
    """Tenant by tenant, so that tenants are locked in one order; owners last of all."""
    return list(rows.select_related("user", "tenant").order_by("tenant_id", "user__email"))


def _names(rows: list[Membership]) -> str:
    return ", ".join(row.user.email for row in rows)
