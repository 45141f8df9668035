"""Further answers to a prompt that had one: anew, or the rest of one that was not finished."""

import uuid
from functools import partial

from django.conf import settings

from chat.errors import NothingToContinue, NothingToRetry
from chat.models import Generation, Message
from chat.services import asking
from tenants.models import Membership

_UNFINISHED = (
    Generation.Status.TRUNCATED,
    Generation.Status.INTERRUPTED,
    Generation.Status.STOPPED,
)


def retry_generation(
    *, actor: Membership, generation: Generation, request_id: uuid.UUID
) -> Generation:
    """Answer the same prompt once more; an earlier reply stays as a sibling.

    Safe to repeat like a send. Raises NothingToRetry when the conversation has gone on since,
    AlreadyAnswering, DeploymentNotGranted or TooManyWaiting.
    """
    again = partial(_retry, actor, generation, request_id)
    return asking.when_settled(generation.conversation, again)


def _retry(actor: Membership, generation: Generation, request_id: uuid.UUID) -> Generation:
    locked = asking.lock(actor, generation.conversation, request_id)
    if locked.asked_before:
        return locked.asked_before
    locked.refuse_if_not_now(actor)
    prompt = generation.prompt
    head = locked.conversation.head
    if head is None or prompt.pk not in {head.pk, head.parent_id}:
        raise NothingToRetry("The conversation has gone on since. Ask again below.")
    return asking.queue(actor, locked.conversation, prompt, request_id=request_id)


def continue_generation(
    *, actor: Membership, generation: Generation, request_id: uuid.UUID
) -> Generation:
    """Have the model go on where an unfinished reply ends; that reply stays as a sibling.

    The new reply begins with the text of the earlier one, and only what is new is billed. Of a
    continuation that brought nothing, the reply that it was to continue is continued again. Safe to
    repeat like a send. Raises NothingToContinue when there is no unfinished reply at the end of the
    conversation, or it may grow no longer; AlreadyAnswering, DeploymentNotGranted or
    TooManyWaiting.
    """
    go_on = partial(_continue, actor, generation, request_id)
    return asking.when_settled(generation.conversation, go_on)


def _continue(actor: Membership, generation: Generation, request_id: uuid.UUID) -> Generation:
    locked = asking.lock(actor, generation.conversation, request_id)
    if locked.asked_before:
        return locked.asked_before
    locked.refuse_if_not_now(actor)
    unfinished = _unfinished(locked, generation.pk)
    if unfinished is None:
        raise NothingToContinue("There is no unfinished answer at the end of the conversation.")
    if len(unfinished.content) >= settings.CHAT_MAX_REPLY_CHARS:
        raise NothingToContinue("This answer is as long as an answer may be.")
    return asking.queue(
        actor, locked.conversation, generation.prompt, request_id=request_id, continues=unfinished
    )


def _unfinished(locked: asking.Locked, generation_id: uuid.UUID) -> Message | None:
    """The reply that this generation left unfinished, if it is the last that is shown."""
    generations = locked.conversation.generations.select_related("reply", "continues")
    ended = generations.get(pk=generation_id)
    is_unfinished = ended.status in _UNFINISHED
    if ended.reply is None:
        is_unfinished = is_unfinished or ended.status == Generation.Status.FAILED
    reply = ended.reply or ended.continues
    if reply is None or not is_unfinished:
        return None
    return reply if reply.pk == locked.last_in_sight else None
