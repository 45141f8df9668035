"""What every way of asking the model shares: who may ask now, and how a generation is queued."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
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


@dataclass(frozen=True)
class Locked:
    """A conversation while every other send to it waits, and what matters of its generations."""

    conversation: Conversation
    asked_before: Generation | None
    is_busy: bool
    last_in_sight: uuid.UUID | None

    def refuse_if_not_now(self, actor: Membership) -> None:
        """Raise AlreadyAnswering or DeploymentNotGranted."""
        if self.is_busy:
            raise AlreadyAnswering(
                "An answer is still being written. Stop it, or wait for its end."
            )
        conversation = self.conversation
        if not Deployment.objects.visible_to(actor).filter(pk=conversation.deployment_id).exists():
            raise DeploymentNotGranted(
                f"Your organisation may no longer use {conversation.deployment.label}."
            )


def lock(actor: Membership, conversation: Conversation, request_id: uuid.UUID) -> Locked:
    """Lock the conversation until the transaction ends. `asked_before` is what an earlier call with
    this request id has made.

    What the page shows last is the head, or the reply of a prompt whose latest answer brought
    nothing.
    """
    mine = Conversation.objects.visible_to(actor).select_for_update(of=("self",))
    locked = mine.select_related("deployment").filter(pk=conversation.pk).first()
    if locked is None:
        raise ConversationGone("This conversation was deleted.")
    of_head = Q(prompt=locked.head_id)
    latest = list(
        locked.generations.filter(
            of_head | Q(request_id=request_id) | Q(status__in=Generation.LIVE)
        ).order_by("queued_at")
    )
    replies = [each.reply_id for each in latest if each.prompt_id == locked.head_id]
    return Locked(
        conversation=locked,
        asked_before=next((each for each in latest if each.request_id == request_id), None),
        is_busy=any(each.is_live for each in latest),
        last_in_sight=next(filter(None, reversed(replies)), locked.head_id),
    )


def when_settled(conversation: Conversation, send: Callable[[], Generation]) -> Generation:
    """Send, in a transaction; once more if an answer that is in the way has lost its worker.

    (It is settled outside of the send, whose refusal must not undo it.)
    """
    try:
        with transaction.atomic():
            return send()
    except AlreadyAnswering:
        if not _settle(conversation):
            raise
    with transaction.atomic():
        return send()


def _settle(conversation: Conversation) -> bool:
    live_ones = conversation.generations.live().select_related("deployment", "conversation")
    return any(worker.settle_if_stale(live) for live in live_ones)


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
