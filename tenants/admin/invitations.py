"""The admin of invitations: sending them, sending them again, taking them back."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminErrorList
from django.core.exceptions import PermissionDenied
from django.core.validators import validate_email
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from unfold.decorators import display
from unfold.forms import AdminForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from tenants import services
from tenants.admin.acting import acting, giver_in, roles_to_give, try_each
from tenants.admin.base import ReadOnlyAdmin, tenants_with
from tenants.errors import TenantError
from tenants.models import Invitation, Membership, Tenant
from tenants.rights import Right

_STATES = {"open": "info", "accepted": "success", "withdrawn": "danger", "expired": "warning"}


class InviteForm(forms.Form):
    """Who is asked to join what, and as what."""

    tenant: "forms.ModelChoiceField[Tenant]" = forms.ModelChoiceField(
        None, label="Organisation", widget=UnfoldAdminSelectWidget
    )
    emails = forms.CharField(
        label="E-mail addresses",
        max_length=30_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One on each line. Everybody gets a link of their own, valid for seven days.",
    )
    role = forms.ChoiceField(
        label="Role", initial=Membership.Role.MEMBER, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, data: Any, request: HttpRequest) -> None:
        super().__init__(data)
        tenants = tenants_with(request, Right.RUN_PEOPLE)
        self.fields["tenant"].queryset = tenants  # type: ignore[attr-defined]  # a choice of rows
        self.fields["role"].choices = roles_to_give(request)  # type: ignore[attr-defined]  # as above
        self.initial["tenant"] = request.GET.get("tenant") or (
            tenants[0].pk if len(tenants) == 1 else None
        )

    def clean_emails(self) -> list[str]:
        """The addresses, each once."""
        words = re.split(r"[\s,;]+", self.cleaned_data["emails"].lower())
        addresses = [*dict.fromkeys(filter(None, words))]
        for address in addresses:
            try:
                validate_email(address)
            except forms.ValidationError:
                raise forms.ValidationError(f"“{address}” is no e-mail address.") from None
        return addresses


class StateFilter(admin.SimpleListFilter):
    """By what became of them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The four states."""
        return [(state, state.title()) for state in _STATES]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        """The invitations in the state that was chosen."""
        is_over = {"accepted_at": None, "withdrawn_at": None, "expires_at__lte": timezone.now()}
        chosen = {
            "open": rows.open,
            "accepted": lambda: rows.exclude(accepted_at=None),
            "withdrawn": lambda: rows.exclude(withdrawn_at=None),
            "expired": lambda: rows.filter(**is_over),
        }.get(self.value() or "")
        return chosen() if chosen else rows


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was asked to join. Of the links nothing is shown: only their hashes are kept."""

    sees = changes = Right.RUN_PEOPLE
    hidden_fields = ("token_hash",)
    add_form_template = "admin/tenants/invitation/invite.html"
    list_display = ("email", "role", "state", "tenant", "inviter", "created_at", "expires_at")
    list_select_related = ("tenant", "invited_by")
    list_filter = (StateFilter, "tenant")
    search_fields = ("email",)
    search_help_text = "An e-mail address, or an id"
    fields = (
        ("email", "role"),
        ("tenant", "plain_state"),
        ("inviter", "created_at"),
        ("expires_at", "accepted_at", "withdrawn_at"),
        "id",
    )
    readonly_fields = ("plain_state", "inviter")
    actions = ("resend", "withdraw")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who runs a tenant's people."""
        return self.may(request, self.changes)

    def has_invite_permission(self, request: HttpRequest) -> bool:
        """Of the actions: as for adding. Rows of others are not in the list."""
        return self.has_add_permission(request)

    # ── Inviting ──
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Ask people to join: all of these, or nobody and why."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = InviteForm(request.POST if request.method == "POST" else None, request)
        if form.is_valid():
            try:
                self._invite(request, form)
            except TenantError as refusal:
                form.add_error(None, str(refusal))
            else:
                return redirect("admin:tenants_invitation_changelist")
        return self._show(request, form, extra_context or {})

    def _invite(self, request: HttpRequest, form: InviteForm) -> None:
        sent = services.invite_all(
            tenant=form.cleaned_data["tenant"],
            emails=form.cleaned_data["emails"],
            role=form.cleaned_data["role"],
            actor=acting(request),
            giver=giver_in(request, form.cleaned_data["tenant"]),
        )
        addresses = ", ".join(each.invitation.email for each in sent)
        messages.success(request, f"Invitations are on their way to {addresses}.")

    def _show(self, request: HttpRequest, form: InviteForm, extra: Any) -> HttpResponse:
        fields = [(None, {"fields": [*form.fields]})]
        context = {
            **self.admin_site.each_context(request),
            "title": "Invite people",
            "adminform": AdminForm(form, fields, {}, (), model_admin=self),
            "original": None,
            "is_popup": False,
            "media": self.media + form.media,
            "inline_admin_formsets": [],
            "errors": AdminErrorList(form, []),  # type: ignore[arg-type]  # any form will do
            **extra,
        }
        return self.render_change_form(request, context, add=True)

    # ── Actions ──
    @admin.action(description="Send again, with a new link", permissions=["invite"])
    def resend(self, request: HttpRequest, rows: models.QuerySet[Invitation]) -> None:
        """A new link for each of these; the one before dies."""
        done = try_each(
            request, _in_order(rows), lambda row: self._do(request, row, services.resend)
        )
        if done:
            messages.success(request, f"New links are on their way to {_addresses(done)}.")

    @admin.action(description="Withdraw", permissions=["invite"])
    def withdraw(self, request: HttpRequest, rows: models.QuerySet[Invitation]) -> None:
        """Their links stop working."""
        done = try_each(
            request, _in_order(rows), lambda row: self._do(request, row, services.withdraw)
        )
        if done:
            messages.success(request, f"Withdrawn: {_addresses(done)}.")

    def _do(self, request: HttpRequest, row: Invitation, service: Any) -> None:
        service(invitation=row, actor=acting(request), giver=giver_in(request, row.tenant))

    # ── Columns ──
    @display(description="State", label=_STATES)  # type: ignore[untyped-decorator]  # as above
    def state(self, invitation: Invitation) -> tuple[str, str]:
        """What became of it, as a coloured label."""
        return invitation.state, invitation.state.title()

    @admin.display(description="State")
    def plain_state(self, invitation: Invitation) -> str:
        """The same in words, for the invitation's own page."""
        return invitation.state.title()

    @admin.display(description="Invited by")
    def inviter(self, invitation: Invitation) -> str:
        """Who sent it last."""
        sender = invitation.invited_by
        return sender.get_full_name() if sender else "The platform"


def _in_order(rows: models.QuerySet[Invitation]) -> list[Invitation]:
    """Tenant by tenant, so that tenants are locked in one order."""
    return list(rows.select_related("tenant").order_by("tenant_id", "email"))


def _addresses(rows: list[Invitation]) -> str:
    return ", ".join(row.email for row in rows)
