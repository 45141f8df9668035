"""Sending and stopping. A send carries the client's request id: it is safe to repeat."""

import uuid
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat import generation as worker
from chat.errors import DeploymentNotGranted, EmptyMessage, MessageTooLong, NothingToEdit
from chat.models import Conversation, Deployment, Generation
from chat.services import asking
from tenants.models import Membership

_TITLE_CHARS = 60


@transaction.atomic
def start_conversation(
    *, actor: Membership, text: str, request_id: uuid.UUID, deployment_id: uuid.UUID | None = None
) -> Conversation:
    """A new conversation that begins with this message, which is sent.

    Uses the tenant's default deployment unless one is named, and keeps the system prompt that the
    tenant has now. Repeated with the same request id, it returns the conversation of the first
    call. Raises EmptyMessage, MessageTooLong, DeploymentNotGranted, PromptTooLong or
    TooManyWaiting, and stores nothing then.
    """
    text = _checked(text)
    granted = Deployment.objects.visible_to(actor)
    deployment = (granted.filter(pk=deployment_id) if deployment_id else granted).first()
    if deployment is None:
        raise DeploymentNotGranted("Your organisation may not use this model. Choose another one.")
    conversation, is_new = Conversation.objects.get_or_create(
        tenant=actor.tenant,
        owner=actor.user,
        request_id=request_id,
        defaults={
            "title": _first_words(text),
            "deployment": deployment,
            "system_prompt": actor.tenant.default_system_prompt,
            "active_at": timezone.now(),
        },
    )
    if is_new:
        asking.ask(actor, conversation, text, after=None, request_id=request_id)
    return conversation


def send_message(
    *, actor: Membership, conversation: Conversation, text: str, request_id: uuid.UUID
) -> Generation:
    """Store the member's message and queue the model's reply to it.

    It follows what the page shows last. Repeated with the same request id, it returns the
    generation of the first call. Raises EmptyMessage, MessageTooLong, AlreadyAnswering,
    DeploymentNotGranted, PromptTooLong or TooManyWaiting, and stores nothing then.
    """
    text = _checked(text)
    send = partial(_send, actor, conversation, text, request_id)
    return asking.when_settled(conversation, send)


def _send(
    actor: Membership, conversation: Conversation, text: str, request_id: uuid.UUID
) -> Generation:
    locked = asking.lock(actor, conversation, request_id)
    if locked.asked_before:
        return locked.asked_before
    locked.refuse_if_not_now(actor)
    return asking.ask(
        actor, locked.conversation, text, after=locked.last_in_sight, request_id=request_id
    )


def resend_edited(
    *, actor: Membership, generation: Generation, text: str, request_id: uuid.UUID
) -> Generation:
    """Ask again in other words, where a prompt got no reply; the earlier prompt stays as a sibling.

    Safe to repeat like a send, and raises what a send raises; NothingToEdit when there is a reply,
    or the conversation has gone on since.
    """
    text = _checked(text)
    resend = partial(_resend, actor, generation, text, request_id)
    return asking.when_settled(generation.conversation, resend)


def _resend(
    actor: Membership, generation: Generation, text: str, request_id: uuid.UUID
) -> Generation:
    locked = asking.lock(actor, generation.conversation, request_id)
    if locked.asked_before:
        return locked.asked_before
    locked.refuse_if_not_now(actor)
    conversation = locked.conversation
    last = conversation.generations.filter(pk=generation.pk, prompt=conversation.head_id)
    if not last.filter(reply=None).exists():
        raise NothingToEdit("This message has got an answer. Send a further one below.")
    before = generation.prompt.parent_id
    if before is None:
        named_by_words = Conversation.objects.filter(pk=conversation.pk, title_by="words")
        named_by_words.update(title=_first_words(text))
    return asking.ask(actor, conversation, text, after=before, request_id=request_id)


def stop_generation(*, generation: Generation, seen_chars: int | None = None) -> None:
    """Ask for the end of a generation: at once while it waits, within a second while it runs.

    Of its text, no more than `seen_chars` characters (code points, from the beginning) are kept, if
    the browser has told how many it had received. Does nothing when it has ended already, and a
    second stop changes nothing.
    """
    if seen_chars is not None:
        seen_chars = min(seen_chars, settings.CHAT_MAX_REPLY_CHARS)
    running = Generation.objects.live().filter(pk=generation.pk, stop_requested_at=None)
    # First, so that a run that goes back to the queue now is found there by the next line.
    running.update(stop_requested_at=timezone.now(), seen_chars=seen_chars)
    worker.end_queued(generation)


def _checked(text: str) -> str:
    """The text as it is stored: line ends as line feeds, nothing else changed."""
    text = text.replace("\r\n", "\n")
    if not text.strip():
        raise EmptyMessage("Type a message first.")
    if len(text) > settings.CHAT_MAX_MESSAGE_CHARS:
        raise MessageTooLong(
            f"This message has {len(text):,} characters; "
            f"at most {settings.CHAT_MAX_MESSAGE_CHARS:,} can be sent."
        )
    return text


def _first_words(text: str) -> str:
    words = " ".join(text.split())
    if len(words) <= _TITLE_CHARS:
        return words
    return words[:_TITLE_CHARS].rsplit(" ", 1)[0] + "…"
