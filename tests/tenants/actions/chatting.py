"""What members do, and what the admin shows of it."""

import uuid

from django.utils import timezone

from chat.models import (
    Conversation,
    Deployment,
    Generation,
    LibraryPrompt,
    Message,
    UsageEntry,
)
from tenants.models import Tenant
from tests.portal.two_tenants import list_of, page_of
from tests.tenants.actions.case import Case, action, is_gone, now


@action("begin a conversation")
def _begin(case: Case) -> bool:
    fields = {"message": "Good morning", "request_id": uuid.uuid4()}
    case.browser.post(case.chat("start_conversation"), fields)
    return Conversation.objects.filter(owner=case.user).exists()


@action("go on with a conversation of their own")
def _go_on(case: Case) -> bool:
    mine = Conversation.objects.create(
        tenant=case.tenant, owner=case.user, title="Mine", deployment=case.rows[Deployment],
        request_id=uuid.uuid4(), active_at=timezone.now(),
    )  # fmt: skip
    fields = {"message": "Good morning", "request_id": uuid.uuid4()}
    case.browser.post(case.chat("send_message", conversation_id=mine.pk), fields)
    is_sent = Message.objects.filter(conversation=mine).exists()
    return is_sent and case.sees(case.chat("show_conversation", conversation_id=mine.pk))


@action("read, rename or delete somebody else's conversation")
def _meddle(case: Case) -> bool:
    theirs = case.rows[Conversation]
    ids = {"conversation_id": theirs.pk}
    is_read = case.sees(case.chat("show_conversation", **ids))
    case.browser.post(case.chat("rename_conversation", **ids), {"title": "Mine"})
    case.browser.post(case.chat("delete_conversation", **ids))
    return is_read or is_gone(theirs) or now(theirs).title != theirs.title


@action("use the prompt library")
def _use_library(case: Case) -> bool:
    page = case.browser.get(case.chat("new_conversation"))
    return case.rows[LibraryPrompt].title in page.content.decode()


@action("enter the admin")
def _enter(case: Case) -> bool:
    return case.sees("/admin/")


@action("see the reports")
def _see_reports(case: Case) -> bool:
    context = case.browser.get("/admin/").context
    return bool(context and context.get("charts"))


@action("see the reports that a tenant keeps for its owners")
def _see_kept_reports(case: Case) -> bool:
    Tenant.objects.filter(pk=case.tenant.pk).update(reports_for=Tenant.ReportReaders.OWNER)
    return _see_reports(case)


@action("see whose conversations, answers and usage there are, without a word of them")
def _see_activity(case: Case) -> bool:
    models = (Conversation, Generation, UsageEntry)
    return all(case.sees(list_of(m)) and case.sees(page_of(case.rows[m])) for m in models)
