"""What people answer for: the audit log and investigations."""

from http import HTTPStatus

from django.urls import reverse

from chat.models import (
    Conversation,
    Investigation,
)
from tenants.models import AuditEvent
from tests.portal.two_tenants import list_of, page_of
from tests.tenants.actions.case import Case, action, is_gone


@action("read the audit log")
def _read_log(case: Case) -> bool:
    return case.sees(list_of(AuditEvent)) and case.sees(page_of(case.rows[AuditEvent]))


@action("take the audit log away as a file")
def _export_log(case: Case) -> bool:
    answer = case.browser.get(reverse("admin:tenants_auditevent_export", args=["csv"]))
    return answer.status_code == HTTPStatus.OK


@action("change or delete an audit event")
def _change_log(case: Case) -> bool:
    event = case.rows[AuditEvent]
    before = AuditEvent.objects.values().get(pk=event.pk)
    case.browser.post(page_of(event), {"action": "forged", "subject": "nothing"})
    case.browser.post(page_of(event, "delete"), {"post": "yes"})
    delete = {"action": "delete_selected", "_selected_action": str(event.pk), "post": "yes"}
    case.browser.post(list_of(AuditEvent), delete)
    return is_gone(event) or AuditEvent.objects.values().get(pk=event.pk) != before


@action("open somebody's conversation for an investigation")
def _investigate(case: Case) -> bool:
    fields = {"conversation": case.rows[Conversation].pk, "reason": "A reason of some length"}
    case.browser.post(reverse("admin:chat_investigation_add"), fields)
    return Investigation.objects.filter(opened_by=case.user).exists()


@action("read in an investigation that somebody else opened")
def _read_along(case: Case) -> bool:
    return case.sees(page_of(case.rows[Investigation], "read"))
