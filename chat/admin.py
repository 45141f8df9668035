"""The admin of the catalogue, of what happens, and of what it costs: never of what people wrote.

Messages are not registered, and no page shows a title, a system prompt or a partial text.
"""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from chat.models import Conversation, Deployment, DeploymentGrant, Generation, UsageEntry
from tenants.admin import AuditedAdmin, FixedOnceSaved, ReadOnlyAdmin

_STATUS_COLOURS = {
    "queued": "info",
    "running": "info",
    "completed": "success",
    "filtered": "warning",
    "truncated": "warning",
    "interrupted": "danger",
    "failed": "danger",
}


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


class GrantInline(TabularInline):  # type: ignore[misc]  # unfold ships no types
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


@admin.register(Conversation)
class ConversationAdmin(ReadOnlyAdmin):
    """That a conversation exists, whose it is and how long: its words are its owner's alone."""

    hidden_fields = ("title", "system_prompt")
    list_display = (
        "short_id",
        "tenant",
        "owner",
        "deployment",
        "messages",
        "created_at",
        "active_at",
    )
    list_select_related = ("tenant", "owner", "deployment")
    list_filter = ("tenant", "deployment")
    search_fields = ("owner__email",)
    search_help_text = "A whole id, or the owner's e-mail"
    date_hierarchy = "active_at"
    ordering = ("-active_at",)
    fields = (
        ("id", "tenant"),
        ("owner", "deployment"),
        ("messages", "is_pinned", "is_archived"),
        ("created_at", "active_at"),
    )

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Conversation]:
        """With the number of messages."""
        return super().get_queryset(request).annotate(message_count=Count("messages"))  # type: ignore[no-any-return]  # as above

    @admin.display(description="Messages")
    def messages(self, conversation: Any) -> int:
        """How many messages it has."""
        return int(conversation.message_count)


def _seconds(start: datetime | None, end: datetime | None) -> str:
    return f"{(end - start).total_seconds():.2f} s" if start and end else "-"


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    """Attempts to answer: their states and how long each part took."""

    hidden_fields = ("partial_text",)
    list_display = (
        "short_id",
        "shown_status",
        "error_code",
        "tenant",
        "user",
        "deployment",
        "attempt",
        "queued_at",
        "queue_wait",
        "first_token",
        "duration",
    )
    list_select_related = ("tenant", "user", "deployment")
    list_filter = ("status", "tenant", "deployment")
    search_fields = ("user__email", "=error_code")
    search_help_text = "A whole id (also of a conversation), a person's e-mail, or an error code"
    id_fields = ("pk", "conversation_id")
    date_hierarchy = "queued_at"
    ordering = ("-queued_at",)
    fields = (
        ("id", "conversation_id"),
        ("tenant", "user", "deployment"),
        ("status", "error_code", "attempt"),
        ("filter_side", "filter_category"),
        ("queue_wait", "first_token", "duration"),
        ("queued_at", "not_before", "stop_requested_at"),
        ("started_at", "heartbeat_at", "first_token_at", "ended_at"),
    )

    @display(description="Status", ordering="status", label=_STATUS_COLOURS)  # type: ignore[untyped-decorator]  # as above
    def shown_status(self, generation: Generation) -> str:
        """The status as a coloured label."""
        return generation.status

    @admin.display(description="Queue wait")
    def queue_wait(self, generation: Generation) -> str:
        """From the send to the start of the last attempt."""
        return _seconds(generation.queued_at, generation.started_at)

    @admin.display(description="First token")
    def first_token(self, generation: Generation) -> str:
        """From the start of the last attempt to its first text."""
        return _seconds(generation.started_at, generation.first_token_at)

    @admin.display(description="Duration")
    def duration(self, generation: Generation) -> str:
        """From the start of the last attempt to the end."""
        return _seconds(generation.started_at, generation.ended_at)


@admin.register(UsageEntry)
class UsageEntryAdmin(ReadOnlyAdmin):
    """The ledger, newest first."""

    list_display = (
        "created_at",
        "tenant",
        "user",
        "deployment",
        "input_tokens",
        "output_tokens",
        "is_estimate",
        "cost",
    )
    list_select_related = ("tenant", "user", "deployment")
    list_filter = ("tenant", "deployment", "is_estimate")
    search_fields = ("user__email",)
    search_help_text = "A whole id (also of a generation), or a person's e-mail"
    id_fields = ("pk", "generation_id")
    date_hierarchy = "created_at"
    fields = (
        ("created_at", "id"),
        ("tenant", "user"),
        ("deployment", "generation_id"),
        ("input_tokens", "output_tokens", "is_estimate"),
        ("input_price", "output_price", "cost"),
    )
