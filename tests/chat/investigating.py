"""What tests of investigations share: bob's conversation, opened by alice."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from chat.models import Conversation, Investigation, Message
from tenants.models import AuditEvent, Membership, User
from tests.client import PortalClient

REASON = "A complaint about case 4711"
SECRETS = ("Good morning", "Quarterly layoffs", "a pirate's voice", "the hidden answer")
ADD = "/admin/chat/investigation/add/"


@pytest.fixture
def words(conversation: Conversation) -> None:
    """Something to keep secret, in every place of bob's conversation."""
    Conversation.objects.update(title=SECRETS[1], system_prompt=SECRETS[2])
    prompt = Message.objects.get()
    Message.objects.create(
        tenant=prompt.tenant, conversation=conversation, parent=prompt, role="assistant",
        content=SECRETS[3],
    )  # fmt: skip


@pytest.fixture
def as_owner(owner: Membership) -> Client:
    """A browser in which alice is signed in."""
    return browser_of(owner.user)


def browser_of(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = PortalClient()
    client.force_login(user)
    return client


def ask(client: Client, conversation_id: object, reason: str = REASON) -> Any:
    """Ask to read this conversation."""
    return client.post(ADD, {"conversation": str(conversation_id), "reason": reason})


def page(investigation: Investigation, name: str = "read") -> str:
    """An address of this investigation."""
    return reverse(f"admin:chat_investigation_{name}", args=[investigation.pk])


@pytest.fixture
def opened(words: None, as_owner: Client, conversation: Conversation) -> Investigation:
    """Bob's conversation, opened by alice."""
    response = ask(as_owner, conversation.pk)
    assert response.status_code == HTTPStatus.FOUND
    return Investigation.objects.get()


@pytest.fixture
def over(opened: Investigation) -> Investigation:
    """The same, when its time is over."""
    pass_time(opened, minutes=16)
    return opened


def pass_time(investigation: Investigation, **time: int) -> None:
    """Let this much time pass for the investigation."""
    passed = timedelta(**time)
    investigation.refresh_from_db()
    for name in ("created_at", "expires_at", "notify_at"):
        setattr(investigation, name, getattr(investigation, name) - passed)
    investigation.save()


def events(*actions: str) -> list[AuditEvent]:
    """What the log has about investigations, or these actions, in order."""
    about = AuditEvent.objects.filter(action__regex=r"^(investigation\.|conversation\.read)")
    found = about.order_by("tenant", "sequence").select_related("tenant", "actor")
    return [event for event in found if not actions or event.action in actions]


def note_on(client: Client, conversation: Conversation) -> str:
    """What the conversation's page says of investigations; "" for nothing."""
    address = reverse("chat:show_conversation", args=["acme", conversation.pk])
    shown = client.get(address).content.decode()
    return shown.partition("data-investigated")[2].partition("</ul>")[0]


def say(
    conversation: Conversation, parent: Message | None, text: str, role: str = "assistant"
) -> Message:
    """A further message of the conversation."""
    return Message.objects.create(
        tenant=conversation.tenant, conversation=conversation, parent=parent, role=role,
        content=text,
    )  # fmt: skip


def assert_secret(text: str) -> None:
    """No word of the conversation is in it."""
    assert [secret for secret in SECRETS if secret in text] == []
