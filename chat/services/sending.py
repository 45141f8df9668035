"""Sending, retrying and stopping. A send carries the client's request id: it is safe to repeat."""

import uuid

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from chat import generation as worker
from chat import tasks
from chat.errors import (
    AlreadyAnswering,
    ConversationGone,
    DeploymentNotGranted,
    EmptyMessage,
    MessageTooLong,
    NothingToRetry,
)
from chat.models import Conversation, Deployment, Generation, Message
from tenants.models import Membership

_TITLE_CHARS = 60


@transaction.atomic
def start_conversation(
    *, actor: Membership, text: str, request_id: uuid.UUID, deployment_id: uuid.UUID | None = None
) -> Conversation:
    """A new conversation that begins with this message, which is sent.

    Uses the tenant's default deployment unless one is named, and keeps the system prompt that the
    tenant has now. Repeated with the same request id, it returns the conversation of the first
    call. Raises EmptyMessage, MessageTooLong or DeploymentNotGranted, and stores nothing then.
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
        _ask(actor, conversation, text, request_id)
    return conversation


def send_message(
    *, actor: Membership, conversation: Conversation, text: str, request_id: uuid.UUID
) -> Generation:
    """Store the member's message and queue the model's reply to it.

    Repeated with the same request id, it returns the generation of the first call. Raises
    EmptyMessage, MessageTooLong, AlreadyAnswering or DeploymentNotGranted, and stores nothing then.
    """
    text = _checked(text)
    _settle(conversation)
    with transaction.atomic():
        return _send(actor, conversation, text, request_id)


def _send(
    actor: Membership, conversation: Conversation, text: str, request_id: uuid.UUID
) -> Generation:
    conversation = _locked(actor, conversation)
    if sent := conversation.generations.filter(request_id=request_id).first():
        return sent
    _refuse_if_busy(conversation)
    _refuse_if_not_granted(actor, conversation)
    return _ask(actor, conversation, text, request_id)


def retry_generation(
    *, actor: Membership, generation: Generation, request_id: uuid.UUID
) -> Generation:
    """Answer the same prompt once more; an earlier reply stays as a sibling.

    Safe to repeat like a send. Raises NothingToRetry when the conversation has gone on since,
    AlreadyAnswering or DeploymentNotGranted.
    """
    _settle(generation.conversation)
    with transaction.atomic():
        return _retry(actor, generation, request_id)


def _retry(actor: Membership, generation: Generation, request_id: uuid.UUID) -> Generation:
    conversation = _locked(actor, generation.conversation)
    if sent := conversation.generations.filter(request_id=request_id).first():
        return sent
    _refuse_if_busy(conversation)
    prompt = generation.prompt
    head = conversation.head
    if head is None or prompt.pk not in {head.pk, head.parent_id}:
        raise NothingToRetry("The conversation has gone on since. Ask again below.")
    _refuse_if_not_granted(actor, conversation)
    return _queue(actor, conversation, prompt, request_id)


def stop_generation(*, generation: Generation) -> None:
    """Ask for the end of a generation: at once while it waits, within a second while it runs.

    Does nothing when it has ended already.
    """
    if worker.end_queued(generation):
        return
    Generation.objects.live().filter(pk=generation.pk, stop_requested_at=None).update(
        stop_requested_at=timezone.now()
    )


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


def _locked(actor: Membership, conversation: Conversation) -> Conversation:
    """The conversation, with every other send to it waiting until this one is stored."""
    mine = Conversation.objects.visible_to(actor).select_for_update(of=("self",))
    locked = mine.select_related("deployment").filter(pk=conversation.pk).first()
    if locked is None:
        raise ConversationGone("This conversation was deleted.")
    return locked


def _settle(conversation: Conversation) -> None:
    """End what lost its worker. Outside the send, whose refusal must not undo it."""
    for live in conversation.generations.live().select_related("deployment", "conversation"):
        worker.settle_if_stale(live)


def _refuse_if_busy(conversation: Conversation) -> None:
    if conversation.generations.live().exists():
        raise AlreadyAnswering("An answer is still being written. Stop it, or wait for its end.")


def _refuse_if_not_granted(actor: Membership, conversation: Conversation) -> None:
    if not Deployment.objects.visible_to(actor).filter(pk=conversation.deployment_id).exists():
        raise DeploymentNotGranted(
            f"Your organisation may no longer use {conversation.deployment.label}."
        )


def _ask(
    actor: Membership, conversation: Conversation, text: str, request_id: uuid.UUID
) -> Generation:
    prompt = Message.objects.create(
        tenant=actor.tenant,
        conversation=conversation,
        parent_id=conversation.head_id,
        role=Message.Role.USER,
        content=text,
    )
    return _queue(actor, conversation, prompt, request_id)


def _queue(
    actor: Membership, conversation: Conversation, prompt: Message, request_id: uuid.UUID
) -> Generation:
    generation = Generation.objects.create(
        tenant=actor.tenant,
        conversation=conversation,
        user=actor.user,
        deployment=conversation.deployment,
        prompt=prompt,
        request_id=request_id,
    )
    conversation.head = prompt
    conversation.active_at = timezone.now()
    conversation.save(update_fields=["head", "active_at"])
    # A ticket that cannot be issued is issued again by the sweep.
    transaction.on_commit(tasks.generate.delay, robust=True)
    return generation
