"""The admin of the audit log."""

from django.contrib import admin

from tenants.admin.base import ReadOnlyAdmin
from tenants.models import AuditEvent


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit log, newest first."""

    list_display = ("created_at", "action", "subject", "actor", "tenant", "request_id")
    list_display_links = ("created_at", "action")
    fields = (("created_at", "action"), ("actor", "tenant"), ("subject", "request_id"), "detail")
    list_select_related = ("actor", "tenant")
    list_filter = ("tenant",)
    search_fields = ("action", "subject", "actor__email", "=request_id")
    search_help_text = "An id, an action, a subject, a request id, or the actor's e-mail"
    date_hierarchy = "created_at"
