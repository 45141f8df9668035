"""How generations end: message, usage entry and state in one transaction."""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from chat import prompts, streams
from chat.models import Conversation, Generation, Message, UsageEntry
from chat.provider import Usage
from tenants.scope import platform_scope, tenant_scope

logger = logging.getLogger(__name__)

Status = Generation.Status


@dataclass(frozen=True)
class Outcome:
    """How a run ended. Without `usage`, what was shown is billed by our own estimate."""

    status: Status
    text: str = ""
    error_code: str = ""
    usage: Usage | None = None
    filter_side: str = ""
    filter_category: str = ""
    first_token_at: datetime | None = None


@transaction.atomic
def finish(generation: Generation, outcome: Outcome) -> bool:
    """Store the end of this attempt; False, and nothing stored, when it holds the run no longer."""
    now = timezone.now()
    conversation = _locked_conversation(generation)
    reply_id = uuid.uuid4() if outcome.text else None
    ended = Generation.objects.held(generation.pk, generation.attempt).update(
        status=outcome.status,
        error_code=outcome.error_code,
        filter_side=outcome.filter_side,
        filter_category=outcome.filter_category,
        first_token_at=outcome.first_token_at or F("first_token_at"),
        ended_at=now,
        partial_text="",
        reply=reply_id,
    )
    if not ended:
        return False
    usage = _bill(generation, outcome)
    if reply_id:
        _store_reply(generation, reply_id, outcome.text, usage)
    conversation.update(active_at=now, head=reply_id or F("head"))
    return True


def _locked_conversation(generation: Generation) -> QuerySet[Conversation]:
    """Locked before its generations, as whoever deletes it does: so neither blocks the other."""
    conversation = Conversation.objects.filter(pk=generation.conversation_id)
    list(conversation.select_for_update(no_key=True).values_list("pk"))
    return conversation


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


def _bill(generation: Generation, outcome: Outcome) -> Usage | None:
    """Write the usage entry; none for a call that brought nothing and has no figures."""
    usage = outcome.usage
    if usage is None and outcome.text:
        asked = prompts.estimate_input_tokens(prompts.build(generation))
        usage = Usage(asked, prompts.estimate_tokens(outcome.text))
    if usage is None:
        return None
    deployment = generation.deployment
    UsageEntry.objects.create(
        tenant_id=generation.tenant_id,
        user_id=generation.user_id,
        deployment=deployment,
        generation_id=generation.pk,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        is_estimate=outcome.usage is None,
        input_price=deployment.input_price,
        output_price=deployment.output_price,
        cost=deployment.cost(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens),
    )
    return usage


def requeue(generation: Generation, *, after_seconds: float) -> bool:
    """Put a run that has shown nothing back into the queue; False when it is held no longer."""
    held = Generation.objects.held(generation.pk, generation.attempt)
    not_before = timezone.now() + timedelta(seconds=after_seconds)
    return bool(held.update(status=Status.QUEUED, not_before=not_before))


def _give_back(generation: Generation) -> bool:
    """Put a run that was taken over back into the queue, as the attempt that it was."""
    held = Generation.objects.held(generation.pk, generation.attempt)
    return bool(held.update(status=Status.QUEUED, attempt=F("attempt") - 1))


def end_queued(generation: Generation) -> bool:
    """Stop a generation that no worker has taken yet; False when it waits no longer."""
    waiting = Generation.objects.filter(pk=generation.pk, status=Status.QUEUED)
    if not waiting.update(status=Status.STOPPED, ended_at=timezone.now()):
        return False
    _relay_end(generation, Status.STOPPED, "")
    return True


def end_with_conversation(generation: Generation) -> None:
    """Bill what a live generation has shown, before it is deleted with its conversation."""
    if _take_over(generation):
        finish(generation, Outcome(Status.STOPPED, text=_shown_text(generation)))
    _relay_end(generation, Status.STOPPED, "")


class Settled(NamedTuple):
    """What a sweep did, and how many generations wait for a worker after it."""

    ended: int
    requeued: int
    waiting: int


def settle() -> Settled:
    """End or requeue every generation whose worker is silent, and end what nobody may have.

    Safe to repeat, and to run in several processes at once. Looks at all tenants, and acts in the
    scope of one at a time.
    """
    with platform_scope("sweep: what has lost its worker or its person"):
        related = Generation.objects.select_related("deployment", "conversation")
        stale = list(related.stale(timezone.now()))
        unwanted = list(related.queued().unwanted())
    ends = [_settle_in_scope(generation) for generation in stale]
    ends += [_end_in_scope(generation) for generation in unwanted]
    with platform_scope("sweep: what waits"):
        waiting = Generation.objects.due(timezone.now()).count()
    return Settled(ends.count("ended"), ends.count("requeued"), waiting)


_Settling = Literal["", "ended", "requeued"]


def _settle_in_scope(generation: Generation) -> _Settling:
    with tenant_scope(generation.tenant_id):
        return settle_if_stale(generation)


def _end_in_scope(generation: Generation) -> _Settling:
    with tenant_scope(generation.tenant_id):
        return "ended" if end_queued(generation) else ""


def settle_if_stale(generation: Generation) -> _Settling:
    """End or requeue this generation if its worker is silent; "" when nothing was to be done.

    `interrupted` with what had been shown; back to the queue when nothing had, until
    CHAT_MAX_ATTEMPTS; then `failed`.
    """
    return _settle(generation) if generation.is_stale else ""


@transaction.atomic
def _settle(generation: Generation) -> _Settling:
    _locked_conversation(generation)
    if not _take_over(generation):
        return ""
    outcome = _outcome_of_lost(generation)
    if outcome is None:
        logger.warning("generation %s lost its worker before its first delta", generation.pk)
        return "requeued" if _give_back(generation) else ""
    logger.warning("generation %s lost its worker: %s", generation.pk, outcome.status)
    if not finish(generation, outcome):
        return ""
    _relay_end(generation, outcome.status, outcome.error_code)
    return "ended"


def _outcome_of_lost(generation: Generation) -> Outcome | None:
    text = _shown_text(generation)
    if generation.stop_requested_at:
        return Outcome(Status.STOPPED, text=text)
    if text:
        return Outcome(Status.INTERRUPTED, text=text, error_code="worker_lost")
    if generation.attempt - 1 >= settings.CHAT_MAX_ATTEMPTS:
        return Outcome(Status.FAILED, error_code="worker_lost")
    return None


def _take_over(generation: Generation) -> bool:
    """Fence the attempt that holds this run, if it still does, and hold the run ourselves."""
    held = Generation.objects.held(generation.pk, generation.attempt)
    if not held.filter(heartbeat_at=generation.heartbeat_at).update(attempt=F("attempt") + 1):
        return False
    generation.attempt += 1
    return True


def _shown_text(generation: Generation) -> str:
    """What followers have seen of the attempt that was taken over."""
    key = streams.stream_key(generation.tenant_id, generation.pk)
    relayed = streams.read_text(key, generation.attempt - 1)
    return max(relayed, generation.partial_text, key=len)


def _relay_end(generation: Generation, status: Status, error_code: str) -> None:
    """Tell followers, once it is certain."""
    key = streams.stream_key(generation.tenant_id, generation.pk)
    writer = streams.Writer(key, generation.attempt)

    def end() -> None:
        writer.end(status, error_code)

    # (A partial has no name, by which Django reports what fails here.)
    transaction.on_commit(end, robust=True)
