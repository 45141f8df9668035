"""Generations that lost their worker, their person or their provider: ended, or put back."""

import logging
from datetime import timedelta
from typing import Literal, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from chat import prompts, streams
from chat.generation.ending import (
    Outcome,
    Stop,
    end_in_vain,
    end_queued,
    finish,
    give_back,
    lock,
    relay_end,
)
from chat.generation.pausing import release_lost_probes
from chat.models import Generation, Pause
from tenants.scope import platform_scope, tenant_scope

logger = logging.getLogger(__name__)

Status = Generation.Status
# A provider that asks for more time than this is not waited for.
LONGEST_WAIT = timedelta(seconds=120)


class Settled(NamedTuple):
    """What a sweep did, and how many generations wait for a worker after it."""

    ended: int
    requeued: int
    waiting: int


def settle() -> Settled:
    """End or requeue every generation whose worker is silent, and end what waits for nothing.

    Safe to repeat, and to run in several processes at once. Looks at all tenants, and acts in the
    scope of one at a time.
    """
    now = timezone.now()
    with platform_scope("sweep: what has lost its worker, its person or its provider"):
        related = Generation.objects.select_related("deployment", "conversation")
        stale = list(related.stale(now))
        unwanted = list(related.queued().unwanted())
        in_vain = list(related.in_vain(now, longest=LONGEST_WAIT))
    ends = [_settle_in_scope(generation) for generation in stale]
    ends += [_end_in_scope(generation) for generation in unwanted]
    ends += [_give_up_in_scope(generation) for generation in in_vain]
    with platform_scope("sweep: what waits"):
        release_lost_probes()
        waiting = Generation.objects.due(timezone.now()).count()
    return Settled(ends.count("ended"), ends.count("requeued"), waiting)


_Settling = Literal["", "ended", "requeued"]


def _settle_in_scope(generation: Generation) -> _Settling:
    with tenant_scope(generation.tenant_id):
        return settle_if_stale(generation)


def _end_in_scope(generation: Generation) -> _Settling:
    with tenant_scope(generation.tenant_id):
        return "ended" if end_queued(generation) else ""


def _give_up_in_scope(generation: Generation) -> _Settling:
    with tenant_scope(generation.tenant_id):
        return "ended" if give_up_if_in_vain(generation) else ""


def give_up_if_in_vain(generation: Generation) -> bool:
    """Fail a waiting one whose provider asks for too much time, with no other to answer."""
    mine = Generation.objects.filter(pk=generation.pk)
    if not mine.in_vain(timezone.now(), longest=LONGEST_WAIT).exists():
        return False
    asked = generation.stands_in_for_id or generation.deployment_id
    pause = Pause.objects.filter(deployment=asked).first()
    return pause is not None and end_in_vain(generation, pause)


def settle_if_stale(generation: Generation) -> _Settling:
    """End or requeue this generation if its worker is silent; "" when nothing was to be done.

    `interrupted` with what had been shown; back to the queue when nothing had, until
    CHAT_MAX_ATTEMPTS; then `failed`.
    """
    return _settle(generation) if generation.is_stale else ""


@transaction.atomic
def _settle(generation: Generation) -> _Settling:
    stop = lock(generation)
    if not _take_over(generation):
        return ""
    outcome = _outcome_of_lost(generation, stop)
    if outcome is None:
        logger.warning("generation %s lost its worker before its first delta", generation.pk)
        return "requeued" if give_back(generation) else ""
    logger.warning("generation %s lost its worker: %s", generation.pk, outcome.status)
    ended = finish(generation, outcome)
    if ended is None:
        return ""
    relay_end(generation, ended.status, ended.error_code)
    return "ended"


def _outcome_of_lost(generation: Generation, stop: Stop) -> Outcome | None:
    text = _shown_text(generation)
    if stop.asked_at:
        return Outcome(Status.STOPPED, text=text)
    if len(text) > len(prompts.beginning(generation)):
        return Outcome(Status.INTERRUPTED, text=text, error_code="worker_lost")
    if generation.attempt - 1 >= settings.CHAT_MAX_ATTEMPTS:
        return Outcome(Status.FAILED, text=text, error_code="worker_lost")
    return None


def end_with_conversation(generation: Generation) -> None:
    """Bill what a live generation has shown, before it is deleted with its conversation."""
    if _take_over(generation):
        finish(generation, Outcome(Status.STOPPED, text=_shown_text(generation)))
    relay_end(generation, Status.STOPPED)


def _take_over(generation: Generation) -> bool:
    """Fence the attempt that holds this run, if it still does, and hold the run ourselves."""
    held = Generation.objects.held(generation.pk, generation.attempt)
    if not held.filter(heartbeat_at=generation.heartbeat_at).update(attempt=F("attempt") + 1):
        return False
    generation.attempt += 1
    return True


def _shown_text(generation: Generation) -> str:
    """What followers have seen of the attempt that was taken over, with what it continues."""
    key = streams.stream_key(generation.tenant_id, generation.pk)
    relayed = streams.read_text(key, generation.attempt - 1)
    texts = [relayed, generation.partial_text, prompts.beginning(generation)]
    return max(texts, key=len)
