"""What was done to a row: its events in the audit log. Django's own log of the admin is not kept.

That one has the rows' names in a table without tenants, and could be changed afterwards.
"""

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from tenants.models import AuditEvent
from tenants.rights import Right


class AuditHistory:
    """Of an admin: the way to a row's events, for those who may read its tenant's audit log."""

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the audit log has it."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Nothing: the audit log has it."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Nothing: the audit log has it."""

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """To the audit log, searched for what was done to this row."""
        options: Any = self
        obj = options.get_object(request, unquote(object_id))
        if obj is None:
            return options._get_obj_does_not_exist_redirect(request, options.opts, object_id)  # type: ignore[no-any-return]  # noqa: SLF001  # as Django's own
        if not options.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        if not self.may_read_history(request, obj):
            raise PermissionDenied
        subject = f"{options.opts.label_lower}:{obj.pk}"
        return redirect(reverse("admin:tenants_auditevent_changelist", query={"q": subject}))

    def may_read_history(self, request: HttpRequest, obj: models.Model | None) -> bool:
        """Who may read the audit log of the row's tenant. Its own events have no history."""
        if obj is None or isinstance(obj, AuditEvent):
            return False
        options: Any = self
        return bool(options.may(request, Right.READ_AUDIT, obj))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Without the button for those who may not."""
        obj = kwargs.get("obj") or context.get("original")
        context["show_history"] = self.may_read_history(request, obj)
        return super().render_change_form(request, context, *args, **kwargs)  # type: ignore[misc,no-any-return]  # a mixin
