"""One run: claim, call the model, relay what arrives, store the end.

Runs in a Celery worker with the gevent pool, where it can be told to end at any moment.
"""

import logging
import time
from datetime import datetime
from functools import cache, partial

from django.conf import settings
from django.db import OperationalError, connections
from django.utils import timezone
from gevent.lock import BoundedSemaphore

from chat import prompts, provider, streams
from chat.errors import ProviderError
from chat.generation import leaving, probing, tickets, titles
from chat.generation.claiming import claim_next
from chat.generation.ending import Outcome, finish, give_back, requeue
from chat.generation.pausing import note_failure, step_aside
from chat.generation.pulse import pulse
from chat.generation.reply import Run, Signal
from chat.generation.settling import give_up_if_in_vain
from chat.models import Generation
from tenants.logcontext import logging_about
from tenants.scope import tenant_scope

logger = logging.getLogger(__name__)

Status = Generation.Status
_STORE_AGAIN_SECONDS = 1.0
_STORE_TRIES = 5


def run_next() -> bool:
    """Claim one waiting generation and run it to its end; False when there was none to take.

    Also False when this process runs CHAT_WORKER_SLOTS already (whoever ends next takes it), and
    when it has been told to stop.
    """
    if leaving.has_begun() or not _slots().acquire(blocking=False):
        return False
    try:
        generation = claim_next()
        if generation is None:
            return False
        with logging_about(tenant=str(generation.tenant_id), generation=str(generation.pk)):
            _run(generation)
        return True
    finally:
        _slots().release()


@cache
def _slots() -> BoundedSemaphore:
    return BoundedSemaphore(settings.CHAT_WORKER_SLOTS)


def _run(generation: Generation) -> None:
    try:
        prompt = _prepare(generation)
        if prompt is not None:
            _ask(generation, prompt)
    finally:
        probing.give_up(generation)


def _prepare(generation: Generation) -> prompts.Prompt | None:
    """Build the prompt, and write down what it leaves out; None when the run is held no longer."""
    with tenant_scope(generation.tenant_id):
        prompt = prompts.build(generation)
        generation.estimated_input_tokens = prompt.estimated_tokens
        held = Generation.objects.held(generation.pk, generation.attempt)
        is_held = held.update(
            left_out=prompt.left_out, estimated_input_tokens=prompt.estimated_tokens
        )
    connections.close_all()  # none is held while the model answers
    return prompt if is_held else None


def _ask(generation: Generation, prompt: prompts.Prompt) -> None:
    key = streams.stream_key(generation.tenant_id, generation.pk)
    writer = streams.Writer(key, generation.attempt)
    writer.start()
    run = Run(
        generation,
        writer,
        beginning=prompts.beginning(generation),
        on_answer=partial(probing.note_answer, generation),
    )
    with pulse().watching(run):
        run.listen(provider.stream_reply(generation.deployment, prompt.messages))
        _store(generation, run, writer)


def _store(generation: Generation, run: Run, writer: streams.Writer) -> None:
    """Store the end of a run, also when the database is away for a while."""
    tries_left = _STORE_TRIES
    while tries_left and not run.is_lost:
        try:
            _end(generation, run, writer)
        except OperationalError:
            logger.warning("end not stored yet", exc_info=True)
        except Exception:
            logger.exception("end not stored")
            tries_left -= 1
        else:
            return
        finally:
            connections.close_all()
        if leaving.is_over():
            return  # the sweep looks after it
        time.sleep(_STORE_AGAIN_SECONDS)
    _give_up(generation, run, writer)


def _give_up(generation: Generation, run: Run, writer: streams.Writer) -> None:
    if run.is_lost:
        logger.warning("run lost its claim")
        return
    logger.error("end cannot be stored as it is")
    _finish(generation, writer, run.failure())
    connections.close_all()


def _end(generation: Generation, run: Run, writer: streams.Writer) -> None:
    if run.ended_by is Signal.LEAVE and not run.has_shown and _hand_back(generation):
        return
    until = _note_provider(generation, run)
    if until and _wait_for_provider(generation, until):
        return
    _finish(generation, writer, run.outcome(try_again_at=until))


def _hand_back(generation: Generation) -> bool:
    with tenant_scope(generation.tenant_id):
        is_back = give_back(generation)
    if is_back:
        logger.info("generation handed back")
        tickets.for_waiting(1)
    return is_back


def _note_provider(generation: Generation, run: Run) -> datetime | None:
    """Tell all workers how the provider is; until when it is not called, if this run's failure
    says so. Whatever comes after the first text says nothing against the provider.
    """
    if run.has_shown or run.ended_by is Signal.DONE:
        probing.note_answer(generation)
    elif isinstance(run.ended_by, ProviderError):
        return note_failure(generation, run.ended_by)
    return None


def _wait_for_provider(generation: Generation, until: datetime) -> bool:
    """Put a run that has shown nothing back into the queue; False when it is to end now."""
    if generation.attempt >= settings.CHAT_MAX_ATTEMPTS:
        return False
    with tenant_scope(generation.tenant_id):
        if not requeue(generation):
            return False
        has_ended = give_up_if_in_vain(generation)
        mine_at = step_aside(generation)
    if not has_ended:
        _issue_tickets({until, mine_at or until})
    return True


def _issue_tickets(starts: set[datetime]) -> None:
    now = timezone.now()
    for start in starts:
        tickets.for_waiting(1, after_seconds=max((start - now).total_seconds(), 0.0))


def _finish(generation: Generation, writer: streams.Writer, outcome: Outcome) -> None:
    with tenant_scope(generation.tenant_id):
        ended = finish(generation, outcome)
        wants_title = ended is not None and titles.is_due(generation, ended.status)
    if ended is None:
        return
    connections.close_all()  # none is held while the relay is waited for
    writer.end(ended.status, ended.error_code)
    if wants_title:
        tickets.for_title(str(generation.conversation_id))
    logger.info("generation ended", extra={"status": str(ended.status)})
