"""Break-glass: reading one conversation of somebody else for a written reason, for a while.

Every step is an audit event in the tenant's log. `chat/disclosure.py` tells the member afterwards.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chat import disclosure
from chat.errors import InvestigationOver, NotYoursToInvestigate, OwnConversation, ReasonMissing
from chat.models import Conversation, Investigation, Message
from tenants.models import Tenant
from tenants.rights import AdminAccess, Right
from tenants.services import record

LEAST_REASON = 10
_PART = 100  # messages of one page
# Unicode calls these letters, and nothing is to be seen of them (the fillers of Hangul).
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")

_Step = tuple[uuid.UUID, int, int | None]


class Entry(NamedTuple):
    """A message, and where it stands in the tree of its conversation."""

    message: Message
    number: int
    after: int | None  # the number of the message that it follows; None: it begins a branch
    is_branch: bool  # whether another version of what comes here was shown before


@dataclass(frozen=True)
class Reading:
    """One page of a conversation that is read for an investigation."""

    conversation: Conversation
    entries: list[Entry]
    part: int
    parts: int
    messages: int

    @property
    def numbers(self) -> range:
        """The numbers of all pages."""
        return range(1, self.parts + 1)


@transaction.atomic
def open_investigation(
    *, access: AdminAccess, conversation_id: uuid.UUID, reason: str
) -> Investigation:
    """Let this person read the conversation from now on, for Investigation.OPEN_MINUTES.

    Raises NotYoursToInvestigate, with the same words for a conversation that is not there and for
    one of a tenant that they may not investigate; OwnConversation; ReasonMissing.
    """
    conversation = _find_conversation(access, conversation_id)
    if conversation is None:
        raise NotYoursToInvestigate("There is no conversation with this id.")
    if conversation.owner_id == access.user.pk:
        raise OwnConversation("This conversation is your own: read it in the portal.")
    if not _says_something(reason):
        raise ReasonMissing(f"Write a reason of at least {LEAST_REASON} letters and digits.")
    tenant = conversation.tenant
    investigation = Investigation(
        tenant=tenant,
        conversation=conversation,
        subject_id=conversation.pk,
        member=conversation.owner,
        opened_by=access.user,
        opened_as=_role(access, tenant),
        reason=reason.strip().replace("\r\n", "\n"),
    )
    delay = timedelta(days=tenant.investigation_notice_days)
    investigation.notify_at = investigation.expires_at + delay
    investigation.save()
    record(
        disclosure.OPENED,
        subject=investigation,
        actor=access.user,
        tenant=tenant,
        conversation=str(conversation.pk),
        reason=investigation.reason,
        role=investigation.opened_as,
        until=investigation.expires_at.isoformat(),
        **disclosure.whom_it_is_kept_from(investigation),
    )
    return investigation


def _says_something(reason: str) -> bool:
    """Whether there is enough to read in it: blanks, signs and the invisible do not count."""
    read = [letter for letter in reason if letter.isalnum() and letter not in _INVISIBLE_LETTERS]
    return len(read) >= LEAST_REASON


def _find_conversation(access: AdminAccess, pk: uuid.UUID) -> Conversation | None:
    conversations = Conversation.objects.select_related("tenant", "owner")
    if not access.is_administrator:
        theirs = [tenant.pk for tenant in access.tenants_with(Right.INVESTIGATE)]
        conversations = conversations.filter(tenant__in=theirs)
    # Locked before the audit log's chain, as by whoever deletes it.
    locked = conversations.select_for_update(of=("self",), no_key=True)
    return locked.filter(pk=pk).first()


def _role(access: AdminAccess, tenant: Tenant) -> str:
    """As what they read: their role in the tenant, if that is what lets them."""
    if tenant in access.tenants_with(Right.INVESTIGATE):
        return access.memberships[tenant.pk].role
    return disclosure.PLATFORM_ADMINISTRATOR


@transaction.atomic
def read_investigated(*, investigation: Investigation, part: int = 1) -> Reading:
    """A page of the conversation, and an audit event that says so, or InvestigationOver.

    Only for the person who opened it: the caller sees to that.
    """
    conversation = investigation.conversation
    if conversation is None:
        raise InvestigationOver("The member has deleted this conversation, or it has expired.")
    if not investigation.is_open:
        raise InvestigationOver("The time for reading this conversation is over.")
    steps = list(_walk(conversation.messages.order_by("created_at", "pk")))
    parts = max(1, -(-len(steps) // _PART))
    part = min(max(part, 1), parts)
    first = (part - 1) * _PART
    record(
        disclosure.READ,
        subject=conversation,
        actor=investigation.opened_by,
        tenant=investigation.tenant,
        investigation=str(investigation.pk),
        part=f"{part} of {parts}",
        **disclosure.whom_it_is_kept_from(investigation),
    )
    entries = list(_entries(steps[first : first + _PART]))
    return Reading(conversation, entries, part, parts, len(steps))


def _walk(messages: QuerySet[Message]) -> Iterator[_Step]:
    """Every message with its number and its parent's, branch by branch, each from the oldest."""
    children: dict[uuid.UUID | None, list[uuid.UUID]] = {}
    for message, parent in messages.values_list("pk", "parent_id"):
        children.setdefault(parent, []).append(message)
    numbers: dict[uuid.UUID | None, int] = {}
    waiting: list[tuple[uuid.UUID, uuid.UUID | None]] = [
        (pk, None) for pk in reversed(children.get(None, []))
    ]
    while waiting:
        pk, before = waiting.pop()
        numbers[pk] = len(numbers) + 1
        yield pk, numbers[pk], numbers.get(before)
        waiting += [(child, pk) for child in reversed(children.get(pk, []))]


def _entries(steps: list[_Step]) -> Iterator[Entry]:
    messages = Message.objects.select_related("deployment").in_bulk([pk for pk, *_ in steps])
    for pk, number, after in steps:
        is_branch = number > 1 and after != number - 1
        yield Entry(messages[pk], number, after, is_branch)


def end_investigation(*, access: AdminAccess, investigation: Investigation) -> bool:
    """End the reading before its time; False when it was over already.

    Raises OwnConversation for the member: they neither know of it yet nor decide about it.
    """
    if investigation.member_id == access.user.pk:
        raise OwnConversation("Somebody else decides about the reading of your conversation.")
    now = timezone.now()
    delay = investigation.notify_at - investigation.expires_at
    still_open = Investigation.objects.open().filter(pk=investigation.pk)
    with transaction.atomic():
        if not still_open.update(expires_at=now, ended_at=now, notify_at=now + delay):
            return False
        investigation.refresh_from_db(fields=["expires_at", "ended_at", "notify_at"])
        record(
            disclosure.ENDED,
            subject=investigation,
            actor=access.user,
            tenant=investigation.tenant,
            by="hand",
            **disclosure.whom_it_is_kept_from(investigation),
        )
    return True
