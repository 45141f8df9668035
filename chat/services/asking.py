"""What every way of asking the model shares: who may ask now, and how a generation is queued."""

import uuid

from django.db import transaction
from django.utils import timezone

from chat import generation as worker
from chat import prompts, tasks
from chat.errors import (
    AlreadyAnswering,
    ConversationGone,
    DeploymentNotGranted,
    PromptTooLong,
)
from chat.models import Conversation, Deployment, Generation, Message
from chat.services.limits import refuse_if_too_many_waiting
from tenants.models import Membership


def settle(conversation: Conversation) -> None:
    """End what lost its worker. Outside the send, whose refusal must not undo it."""
    for live in conversation.generations.live().select_related("deployment", "conversation"):
        worker.settle_if_stale(live)


def lock(actor: Membership, conversation: Conversation) -> Conversation:
    """The conversation, with every other send to it waiting until this one is stored."""
    mine = Conversation.objects.visible_to(actor).select_for_update(of=("self",))
    locked = mine.select_related("deployment").filter(pk=conversation.pk).first()
    if locked is None:
        raise ConversationGone("This conversation was deleted.")
    return locked


def asked_before(conversation: Conversation, request_id: uuid.UUID) -> Generation | None:
    """What an earlier call with this request id has made."""
    return conversation.generations.filter(request_id=request_id).first()


def refuse_if_not_now(actor: Membership, conversation: Conversation) -> None:
    """Raise AlreadyAnswering or DeploymentNotGranted."""
    if conversation.generations.live().exists():
        raise AlreadyAnswering("An answer is still being written. Stop it, or wait for its end.")
    if not Deployment.objects.visible_to(actor).filter(pk=conversation.deployment_id).exists():
        raise DeploymentNotGranted(
            f"Your organisation may no longer use {conversation.deployment.label}."
        )


def last_in_sight(conversation: Conversation) -> uuid.UUID | None:
    """The message that the page shows last.

    A prompt whose latest answer brought nothing shows the reply that it had before.
    """
    answers = conversation.generations.filter(prompt=conversation.head_id).exclude(reply=None)
    reply = answers.order_by("-queued_at").values_list("reply_id", flat=True).first()
    return reply or conversation.head_id


def ask(
    actor: Membership,
    conversation: Conversation,
    text: str,
    *,
    after: uuid.UUID | None,
    request_id: uuid.UUID,
) -> Generation:
    """Store this message after that one, and queue the reply to it.

    Raises PromptTooLong or TooManyWaiting.
    """
    _refuse_if_too_long(actor, conversation, text)
    prompt = Message.objects.create(
        tenant=actor.tenant,
        conversation=conversation,
        parent_id=after,
        role=Message.Role.USER,
        content=text,
    )
    return queue(actor, conversation, prompt, request_id=request_id)


def queue(
    actor: Membership,
    conversation: Conversation,
    prompt: Message,
    *,
    request_id: uuid.UUID,
    continues: Message | None = None,
) -> Generation:
    """Queue a reply to this prompt, or the rest of one. Raises TooManyWaiting."""
    refuse_if_too_many_waiting(actor)
    generation = Generation.objects.create(
        tenant=actor.tenant,
        conversation=conversation,
        user=actor.user,
        deployment=conversation.deployment,
        prompt=prompt,
        request_id=request_id,
        continues=continues,
        partial_text=continues.content if continues else "",
    )
    conversation.head = prompt
    conversation.active_at = timezone.now()
    conversation.save(update_fields=["head", "active_at"])
    # A ticket that cannot be issued is issued again by the sweep.
    transaction.on_commit(tasks.generate.delay, robust=True)
    return generation


def _refuse_if_too_long(actor: Membership, conversation: Conversation, text: str) -> None:
    """Raise PromptTooLong when the model cannot read the message, however much is left out."""
    asked = conversation.deployment
    room = prompts.room_for_prompt(asked)
    tokens = prompts.estimate_alone(conversation.system_prompt, text)
    if not prompts.may_be_cut(room, tokens):
        return
    tokens = round(tokens * prompts.correction(conversation))
    if tokens <= room:
        return
    granted = Deployment.objects.visible_to(actor)
    fitting = [other.label for other in granted if tokens <= prompts.room_for_prompt(other)]
    advice = "No model of your organisation could read it."
    if fitting:
        advice = f"In a new conversation, {' or '.join(fitting)} could read it."
    raise PromptTooLong(
        f"This message is too long for {asked.label}: it has about {tokens:,} tokens,"
        f" and at most {room:,} can be read at once. {advice}"
    )
