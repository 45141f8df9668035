"""The admin of what happens, and of what it costs: never of what people wrote.

Messages are not registered, and no page shows a title, a system prompt or a partial text. Managers
and owners see what belongs to their tenants, where they may see reports.
"""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest
from unfold.decorators import display

from chat.admin.investigations import Investigable
from chat.models import Conversation, Generation, Message, UsageEntry
from tenants.admin.base import ReadOnlyAdmin
from tenants.rights import Right

_STATUS_COLOURS = {
    "queued": "info",
    "running": "info",
    "completed": "success",
    "filtered": "warning",
    "truncated": "warning",
    "interrupted": "danger",
    "failed": "danger",
}


@admin.register(Conversation)
class ConversationAdmin(Investigable, ReadOnlyAdmin):
    """That a conversation exists, whose it is and how long: its words are its owner's alone."""

    sees = Right.SEE_REPORTS
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
        # Counted for the rows that are shown alone: a join would count those of all.
        counted = Message.objects.filter(conversation=OuterRef("pk"), tenant=OuterRef("tenant"))
        count = counted.order_by().values("conversation").annotate(count=Count("pk"))
        rows = super().get_queryset(request)
        return rows.annotate(message_count=Subquery(count.values("count")))  # type: ignore[no-any-return]  # as above

    @admin.display(description="Messages")
    def messages(self, conversation: Any) -> int:
        """How many messages it has."""
        return int(conversation.message_count or 0)


def _seconds(start: datetime | None, end: datetime | None) -> str:
    return f"{(end - start).total_seconds():.2f} s" if start and end else "-"


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    """Attempts to answer: their states and how long each part took."""

    sees = Right.SEE_REPORTS
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
    linked_by = ("ended_at",)
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

    @admin.display(description="First token after start")
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

    sees = Right.SEE_REPORTS
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
