"""How generations end: message, usage entry and state in one transaction."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chat import prompts, streams
from chat.generation import billing
from chat.models import Conversation, Generation, Message, Pause
from chat.models.generations import GenerationQuerySet
from chat.provider import Usage

Status = Generation.Status


@dataclass(frozen=True)
class Outcome:
    """How a run ended. Without `usage`, what had arrived is billed by our own estimate.

    `text` is the whole of it, with the reply that was continued. When a stop was asked for, no more
    of it is kept than the person had seen.
    """

    status: Status
    text: str = ""
    error_code: str = ""
    usage: Usage | None = None
    filter_side: str = ""
    filter_category: str = ""
    first_token_at: datetime | None = None
    try_again_at: datetime | None = None


class Stop(NamedTuple):
    """Whether the person has asked for a stop, and how much of the text they had seen."""

    asked_at: datetime | None = None
    seen_chars: int | None = None


def lock(generation: Generation) -> Stop:
    """Lock the conversation, then the generation, as whoever deletes them does: so neither blocks
    the other.
    """
    both = Conversation.objects.filter(
        pk=generation.conversation_id, generations=generation.pk
    ).select_for_update(no_key=True)
    rows = list(both.values_list("generations__stop_requested_at", "generations__seen_chars"))
    return Stop(*rows[0]) if rows else Stop()


@transaction.atomic
def finish(generation: Generation, outcome: Outcome) -> Outcome | None:
    """Store the end of this attempt, as it is returned; None, and nothing stored, when it is not
    held any longer.

    Whoever asked for a stop before gets it, whatever else has happened since.
    """
    beginning = prompts.beginning(generation)
    stop = lock(generation)
    kept = _as_stopped(outcome, stop, len(beginning)) if stop.asked_at else outcome
    has_reply = kept.text != beginning or kept.status is Status.COMPLETED
    reply_id = uuid.uuid4() if kept.text and has_reply else None
    if not _store_end(generation, kept, reply_id):
        return None
    usage = billing.bill(generation, outcome.usage, new_text=outcome.text[len(beginning) :])
    if reply_id:
        _store_reply(generation, reply_id, kept.text, usage)
    conversation = Conversation.objects.filter(pk=generation.conversation_id)
    conversation.update(active_at=timezone.now(), head=reply_id or F("head"))
    return kept


def _as_stopped(outcome: Outcome, stop: Stop, least: int) -> Outcome:
    text = outcome.text
    if stop.seen_chars is not None:
        text = text[: max(stop.seen_chars, least)]
    return Outcome(Status.STOPPED, text=text, first_token_at=outcome.first_token_at)


def _store_end(generation: Generation, outcome: Outcome, reply_id: uuid.UUID | None) -> bool:
    return bool(
        _held(generation).update(
            status=outcome.status,
            error_code=outcome.error_code,
            filter_side=outcome.filter_side,
            filter_category=outcome.filter_category,
            first_token_at=outcome.first_token_at or F("first_token_at"),
            try_again_at=outcome.try_again_at,
            ended_at=timezone.now(),
            partial_text="",
            reply=reply_id,
        )
    )


def _store_reply(
    generation: Generation, reply_id: uuid.UUID, text: str, usage: Usage | None
) -> None:
    Message.objects.create(
        pk=reply_id,
        tenant_id=generation.tenant_id,
        conversation_id=generation.conversation_id,
        parent_id=generation.prompt_id,
        role=Message.Role.ASSISTANT,
        content=text,
        deployment_id=generation.deployment_id,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
    )


def requeue(generation: Generation) -> bool:
    """Put a run that has shown nothing back into the queue, as an attempt that failed.

    False when it is held no longer, or when a stop was asked for: then it is to end. (The pause
    of its deployment says when it may start.)
    """
    held = _held(generation).filter(stop_requested_at=None)
    return bool(held.update(status=Status.QUEUED))


def give_back(generation: Generation) -> bool:
    """Put a run that has shown nothing back into the queue, as the attempt that it was.

    False as above.
    """
    held = _held(generation).filter(stop_requested_at=None)
    return bool(held.update(status=Status.QUEUED, attempt=F("attempt") - 1))


def _held(generation: Generation) -> GenerationQuerySet:
    """The generation, as long as this claim holds it. (One that is given back leaves its number
    to the next claim, which began at another time.)
    """
    held = Generation.objects.held(generation.pk, generation.attempt)
    return held.filter(started_at=generation.started_at)


def end_queued(generation: Generation) -> bool:
    """Stop a generation that no worker has taken yet; False when it waits no longer."""
    waiting = Generation.objects.queued().filter(pk=generation.pk)
    if not waiting.update(status=Status.STOPPED, ended_at=timezone.now(), partial_text=""):
        return False
    relay_end(generation, Status.STOPPED)
    return True


def end_in_vain(generation: Generation, pause: Pause) -> bool:
    """Fail one that would wait too long for its provider; False when it waits no longer."""
    waiting = Generation.objects.queued().filter(pk=generation.pk)
    ended = waiting.update(
        status=Status.FAILED,
        error_code=pause.reason,
        try_again_at=pause.until,
        ended_at=timezone.now(),
        partial_text="",
    )
    if ended:
        relay_end(generation, Status.FAILED, pause.reason)
    return bool(ended)


def relay_end(generation: Generation, status: Status, error_code: str = "") -> None:
    """Tell followers, once it is certain."""
    key = streams.stream_key(generation.tenant_id, generation.pk)
    writer = streams.Writer(key, generation.attempt)

    def end() -> None:
        writer.end(status, error_code)

    # (A partial has no name, by which Django reports what fails here.)
    transaction.on_commit(end, robust=True)
