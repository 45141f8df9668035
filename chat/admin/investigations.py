"""The admin of investigations: opened for one conversation, read by one person, for a while."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.urls.resolvers import URLPattern
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from chat import services
from chat.errors import ChatError, InvestigationOver
from chat.models import Conversation, Investigation
from tenants.access import access_of
from tenants.admin.base import ReadOnlyAdmin
from tenants.models import Tenant
from tenants.rights import Right

_STATE_COLOURS = {"open": "warning", "over": "info", "member told": "success"}


class OpenForm(forms.Form):
    """Which conversation, and why."""

    conversation = forms.UUIDField(
        label="Id of the conversation",
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="One conversation, by its whole id; its page in the admin shows it.",
    )
    reason = forms.CharField(
        label="Reason",
        min_length=services.LEAST_REASON,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="The member will read it, and it stays in the audit log.",
    )


@admin.register(Investigation)
class InvestigationAdmin(ReadOnlyAdmin):
    """Investigations of the tenants in which the person may open one. No title, no text."""

    sees = Right.INVESTIGATE
    list_display = (
        "created_at",
        "shown_state",
        "opened_by",
        "member",
        "tenant",
        "short_conversation",
        "expires_at",
        "notified_at",
    )
    list_select_related = ("tenant", "member", "opened_by")
    search_fields = ("member__email", "opened_by__email", "reason")
    search_help_text = "A whole id (also of a conversation), an e-mail, or words of the reason"
    id_fields = ("pk", "subject_id")
    fields = (
        ("shown_state", "reading"),
        ("opened_by", "tenant"),
        ("member", "subject_id"),
        "reason",
        ("created_at", "expires_at"),
        ("notify_at", "notified_at"),
    )
    readonly_fields = ("shown_state", "reading")

    # ── Who, and where ─────────────────────────────────────────────────────────────────────────
    def get_queryset(self, request: HttpRequest) -> QuerySet[Investigation]:
        """Without those of the person's own conversations, until they are told of them."""
        rows: QuerySet[Investigation] = super().get_queryset(request)
        now = timezone.now()
        is_untold = Q(notify_at__gt=now) | Q(expires_at__gt=now)
        return rows.exclude(is_untold, member=access_of(request).user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may investigate in a tenant; the service asks about the conversation's own."""
        return self.may(request, Right.INVESTIGATE)

    def get_urls(self) -> list[URLPattern]:
        """With the reading."""
        site: admin.AdminSite = self.admin_site
        read, end = require_safe(self.read_view), require_POST(self.end_view)
        return [
            path("<uuid:pk>/read/", site.admin_view(read), name="chat_investigation_read"),
            path("<uuid:pk>/end/", site.admin_view(end), name="chat_investigation_end"),
            *super().get_urls(),
        ]

    # ── Pages ──────────────────────────────────────────────────────────────────────────────────
    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for the conversation and the reason; open it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        initial = {"conversation": request.GET.get("conversation", "")[:40]}
        form = OpenForm(request.POST if request.method == "POST" else None, initial=initial)
        if form.is_valid() and (opened := self._open(request, form)):
            return redirect("admin:chat_investigation_read", opened.pk)
        context = self._context(request, "Read a conversation for an investigation")
        context |= {"form": form, "minutes": Investigation.OPEN_MINUTES}
        return TemplateResponse(request, "admin/chat/investigation/open.html", context)

    def _open(self, request: HttpRequest, form: OpenForm) -> Investigation | None:
        try:
            return services.open_investigation(
                access=access_of(request),
                conversation_id=form.cleaned_data["conversation"],
                reason=form.cleaned_data["reason"],
            )
        except ChatError as refusal:
            form.add_error(None, str(refusal))
            return None

    def read_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The conversation, as long as it is open: for the person who opened it alone."""
        investigation = self._investigation(request, pk)
        if investigation.opened_by_id != access_of(request).user.pk:
            raise PermissionDenied
        part = request.GET.get("part", "")[:6]
        context = self._context(request, "Read for an investigation")
        left = investigation.expires_at - timezone.now()
        context |= {"investigation": investigation, "seconds_left": int(left.total_seconds()) + 1}
        try:
            context["reading"] = services.read_investigated(
                investigation=investigation, part=int(part) if part.isdecimal() else 1
            )
        except InvestigationOver as over:
            context |= {"over": str(over)}
        template = "over" if "over" in context else "read"
        status = InvestigationOver.status if "over" in context else 200
        response = TemplateResponse(
            request, f"admin/chat/investigation/{template}.html", context, status=status
        )
        response["Cache-Control"] = "no-store"
        return response

    def end_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponseRedirect:
        """End the reading now; whoever may investigate in the tenant can, but the member."""
        investigation = self._investigation(request, pk)
        services.end_investigation(access=access_of(request), investigation=investigation)
        return redirect("admin:chat_investigation_change", investigation.pk)

    def _investigation(self, request: HttpRequest, pk: uuid.UUID) -> Investigation:
        related = self.get_queryset(request).select_related(
            "tenant", "member", "opened_by", "conversation__deployment"
        )
        investigation: Investigation = get_object_or_404(related, pk=pk)
        if not self.has_view_permission(request, investigation):
            raise PermissionDenied
        return investigation

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.model._meta,
        }

    # ── Columns ────────────────────────────────────────────────────────────────────────────────
    @display(description="State", label=_STATE_COLOURS)  # type: ignore[untyped-decorator]  # as above
    def shown_state(self, investigation: Investigation) -> str:
        """open, over, or member told."""
        if investigation.is_open:
            return "open"
        return "member told" if investigation.notified_at else "over"

    @admin.display(description="Conversation")
    def short_conversation(self, investigation: Investigation) -> str:
        """The first part of its id; the investigation's page has all of it."""
        return str(investigation.subject_id)[:8]

    @admin.display(description="Reading")
    def reading(self, investigation: Investigation) -> SafeString | str:
        """The way to the conversation, while it is open."""
        if not investigation.is_open:
            return "The time for reading is over."
        address = reverse("admin:chat_investigation_read", args=[investigation.pk])
        return format_html('<a href="{}">Read</a> (the person who opened it)', address)


class Investigable:
    """Of the conversations' admin: a button that asks for an investigation of this one."""

    actions_detail = ("investigate",)

    @action(description="Investigate…", icon="policy", permissions=["investigate"])  # type: ignore[untyped-decorator]  # as above
    def investigate(self, request: HttpRequest, object_id: str) -> HttpResponseRedirect:
        """To the form, with this conversation's id."""
        return redirect(reverse("admin:chat_investigation_add", query={"conversation": object_id}))

    def has_investigate_permission(self, request: HttpRequest, object_id: str) -> bool:
        """Whether the person may investigate in the tenant of this conversation."""
        try:
            wanted = Conversation.objects.filter(pk=uuid.UUID(object_id))
        except ValueError:
            return False
        tenant = Tenant.objects.filter(conversations__in=wanted).first()
        return tenant is not None and access_of(request).may(Right.INVESTIGATE, tenant)
