"""The admin of the prompt library."""

from django.contrib import admin

from chat.models import LibraryPrompt
from tenants.admin.base import AuditedAdmin
from tenants.rights import Right

_SHOWN_CHARS = 90


@admin.register(LibraryPrompt)
class LibraryPromptAdmin(AuditedAdmin):
    """What a tenant offers its members to begin with, in the order of the list."""

    sees = changes = Right.RUN_PROMPTS
    kept_because = ""
    list_display = ("title", "tenant", "beginning", "position")
    list_editable = ("position",)
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("title", "text")
    fields = ("tenant", ("title", "position"), "text")
    ordering = ("tenant__name", "position", "title")

    @admin.display(description="Text")
    def beginning(self, prompt: LibraryPrompt) -> str:
        """Its first words."""
        words = " ".join(prompt.text.split())
        return words if len(words) <= _SHOWN_CHARS else f"{words[:_SHOWN_CHARS]}…"
