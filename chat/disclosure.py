"""Telling members that somebody read a conversation of theirs: by mail, and on its page.

Both happen once the reading is over and the tenant's delay has passed. What the audit log has about
an investigation is written here and in `chat/services/investigations.py`.
"""

import logging
import textwrap
import uuid
from datetime import datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Literal, NamedTuple

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import DatabaseError
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from chat.models import Conversation, Investigation
from tenants.models import AuditEvent
from tenants.scope import platform_scope, tenant_scope
from tenants.services import record
from tenants.services.invitations import in_one_line

logger = logging.getLogger(__name__)

OPENED = "investigation.opened"
READ = "conversation.read"
ENDED = "investigation.ended"
TOLD = "investigation.told"

PLATFORM_ADMINISTRATOR = "platform administrator"

# How far the clocks of two machines may differ, at most.
_LEEWAY = timedelta(days=1)


class Disclosure(NamedTuple):
    """What a member is told of one investigation."""

    reader: str  # their name, and as what they read
    opened_at: datetime
    expires_at: datetime
    reason: str
    was_read: bool  # a page of it, at least


def whom_it_is_kept_from(investigation: Investigation) -> dict[str, str]:
    """For an audit event's detail: the member, and until when their audit log is without it."""
    return {
        "member": str(investigation.member_id),
        "told_from": investigation.notify_at.isoformat(),
    }


def find_disclosures(conversation: Conversation) -> list[Disclosure]:
    """What the owner of this conversation is told of by now, newest first."""
    now = timezone.now()
    # Not those alone whose mail went out: a mail server must not keep it from them.
    due = conversation.investigations.filter(notify_at__lte=now, expires_at__lte=now)
    return _disclosures(list(due.select_related("tenant", "opened_by")))


def _disclosures(investigations: list[Investigation]) -> list[Disclosure]:
    read = _read_among(investigations)
    return [_disclosure(each, was_read=str(each.pk) in read) for each in investigations]


def _read_among(investigations: list[Investigation]) -> set[str]:
    """The ids of those in which a page was read, as the audit log has it."""
    if not investigations:
        return set()
    events = AuditEvent.objects.filter(
        action=READ,
        tenant__in={each.tenant_id for each in investigations},
        detail__investigation__in=[str(each.pk) for each in investigations],
        # For the index: a log is long, a reading is short.
        created_at__gte=min(each.created_at for each in investigations) - _LEEWAY,
        created_at__lte=max(each.expires_at for each in investigations) + _LEEWAY,
    )
    return set(events.values_list("detail__investigation", flat=True))


def _disclosure(investigation: Investigation, *, was_read: bool) -> Disclosure:
    name, role = investigation.opened_by.get_full_name(), _described_role(investigation)
    return Disclosure(
        reader=in_one_line(f"{name} ({role})"),
        opened_at=investigation.created_at,
        expires_at=investigation.expires_at,
        reason=investigation.reason,
        was_read=was_read,
    )


def _described_role(investigation: Investigation) -> str:
    """As what they could read it then."""
    if investigation.opened_as == PLATFORM_ADMINISTRATOR:
        return PLATFORM_ADMINISTRATOR
    return f"{investigation.opened_as} of {investigation.tenant.name}"


# ── The end of the reading ─────────────────────────────────────────────────────────────────────
def end_over() -> int:
    """Write to the audit log which readings have ended by themselves; how many.

    Safe to repeat, and to run in several processes at once: each end is written once.
    """
    with platform_scope("sweep: which investigations are over"):
        over = list(_unrecorded().values_list("pk", "tenant_id"))
    return sum(_end(pk, tenant_id) for pk, tenant_id in over)


def _unrecorded() -> QuerySet[Investigation]:
    """Those that are over, which the audit log does not have yet."""
    return Investigation.objects.filter(ended_at=None, expires_at__lte=timezone.now())


def _end(pk: uuid.UUID, tenant_id: uuid.UUID) -> bool:
    with tenant_scope(tenant_id):
        if not _unrecorded().filter(pk=pk).update(ended_at=timezone.now()):
            return False
        investigation = Investigation.objects.select_related("tenant").get(pk=pk)
        record(
            ENDED,
            subject=investigation,
            actor=None,
            tenant=investigation.tenant,
            by="time",
            **whom_it_is_kept_from(investigation),
        )
        return True


# ── Telling ────────────────────────────────────────────────────────────────────────────────────
def tell_members() -> int:
    """Send the mails that are due; how many members were told.

    Each is sent once: whoever holds the row's lock sends. What the mail server does not take now is
    tried again at the next time; an address that it refuses for good counts as told, by the page.
    """
    with platform_scope("sweep: which members are to be told of an investigation"):
        due = list(Investigation.objects.to_be_told().values_list("pk", "tenant_id"))
    return sum(_tell(pk, tenant_id) for pk, tenant_id in due)


def _tell(pk: uuid.UUID, tenant_id: uuid.UUID) -> bool:
    try:
        with tenant_scope(tenant_id):
            due = Investigation.objects.to_be_told().filter(pk=pk)
            locked = due.select_for_update(of=("self",), skip_locked=True)
            investigation = locked.select_related("tenant", "member", "opened_by").first()
            if investigation is None:
                return False
            mail = _send(investigation)
            due.update(notified_at=timezone.now())
            record(TOLD, subject=investigation, tenant=investigation.tenant, mail=mail)
            return True
    except (OSError, DatabaseError) as error:  # smtplib's errors are OSErrors too
        logger.warning("investigation %s: mail not sent yet: %s", pk, type(error).__name__)
        return False


def _send(investigation: Investigation) -> Literal["sent", "refused"]:
    (disclosure,) = _disclosures([investigation])
    done = "read" if disclosure.was_read else "opened"
    message = EmailMessage(
        f"Your conversation was {done} for an investigation",
        render_to_string("chat/mail/investigated.txt", _context(investigation, disclosure)),
        to=[investigation.member.email],
        connection=get_connection(settings.MAIL_BACKEND),  # this one says when it fails
    )
    try:
        message.send()
    except SMTPRecipientsRefused as error:
        if all(code >= 500 for code, _ in error.recipients.values()):
            return "refused"
        raise
    return "sent"


def _context(investigation: Investigation, disclosure: Disclosure) -> dict[str, object]:
    slug, conversation = investigation.tenant.slug, investigation.conversation_id
    page = reverse("chat:show_conversation", args=[slug, conversation]) if conversation else ""
    return {
        "disclosure": disclosure,
        "reason": textwrap.indent(disclosure.reason, "    "),
        "member": in_one_line(investigation.member.name),
        "tenant": in_one_line(investigation.tenant),
        "address": f"{settings.PUBLIC_URL}{page}" if page else "",
    }
