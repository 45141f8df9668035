"""Pauses of deployments: made by a failure, in force for all workers, ended by one probe's answer.

A deployment whose provider refuses or is away is called by nobody until the pause's `until`. Then
it is half open: the claim lets one generation through as the probe, and what that one meets ends
the pause or prolongs it.

Some failures may be due to one prompt alone (a 500 at each try of it), and must not keep everybody
off. So the first pause that we guess lasts a second, the one that failed steps aside, and where
another waits, that one is the probe: its answer ends the pause. An attempt that has shown text
makes no pause at all, however it ends: its provider is there.
"""

import random
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from chat.errors import ProviderError
from chat.models import Deployment, Generation, Pause

# Codes by which the deployment itself cannot answer now, whoever asks.
_PAUSING = frozenset({"rate_limited", "unavailable"})
# Codes with which the provider has answered: it is there, and minds the prompt alone.
_ANSWERED = frozenset({"filtered", "context_too_long"})
# Codes of failures that may be due to the prompt.
_DOUBTFUL = frozenset({"unavailable", "timeout"})

_LONGEST_BACK_OFF_SECONDS = 60
_LONGEST_RETRY_AFTER_SECONDS = 24 * 3600
_JITTER = 0.1
_LEAST_JITTER_SECONDS = 0.1
# A probe is told to be lost no sooner: what has just been claimed is not in every snapshot yet.
_PROBE_SECONDS = 5
# Enough for a claim of another one after the pause's end.
_STEP_ASIDE = timedelta(seconds=0.5)


def note_failure(generation: Generation, error: ProviderError) -> datetime | None:
    """Pause the generation's deployment if the error says that it cannot answer; until when.

    Of one in a crowd that fails, the pause is the same for all; only a longer Retry-After prolongs
    it. A probe's failure prolongs it always, and so does its provider's silence: else the others
    would try one after the other, and each in vain. None, and no pause, for errors of the call
    alone.
    """
    if error.code in _PAUSING or (generation.is_probe and error.code == "timeout"):
        until = _pause(generation, error)
        generation.is_probe = False
        return until
    if error.code in _ANSWERED:
        note_answer(generation)
    elif generation.is_probe:
        release_probe(generation)
    return None


@transaction.atomic
def _pause(generation: Generation, error: ProviderError) -> datetime:
    pause = _locked(generation, error.code)
    # While there is a pause, calls begin by its probe alone: every other that fails now began
    # before, and is no news.
    is_news = pause.failures == 0 or pause.probe_id == generation.pk
    if is_news:
        pause.failures += 1
        pause.probe_id = pause.probed_at = None
    until = timezone.now() + _wait(error.retry_after_seconds, pause.failures)
    is_asked = bool(error.retry_after_seconds)
    if is_news or (is_asked and until > pause.until):
        pause.until, pause.is_asked = until, is_asked
    pause.save()
    return pause.until


def _locked(generation: Generation, code: str) -> Pause:
    """The deployment's pause, new with no failures; locked until the transaction ends."""
    pause = Pause(
        deployment_id=generation.deployment_id, reason=code, until=timezone.now(), failures=0
    )
    Pause.objects.bulk_create(
        [pause],
        update_conflicts=True,  # also where it conflicts, the row is ours from here on
        unique_fields=["deployment"],
        update_fields=["reason"],
    )
    return Pause.objects.get(deployment=generation.deployment_id)


def _wait(retry_after_seconds: float | None, failures: int) -> timedelta:
    """As the provider asks, or longer with each failure in a row; somewhat later in any case."""
    back_off = min(2.0 ** min(failures - 1, 10), _LONGEST_BACK_OFF_SECONDS)
    seconds = min(retry_after_seconds or back_off, _LONGEST_RETRY_AFTER_SECONDS)
    jitter = random.uniform(0, max(seconds * _JITTER, _LEAST_JITTER_SECONDS))  # noqa: S311
    return timedelta(seconds=seconds + jitter)


def note_answer(generation: Generation) -> bool:
    """End the pause if this is its probe: the deployment answers again. True when it was."""
    if not generation.is_probe:
        return False
    generation.is_probe = False
    return bool(_probed_by(generation).delete()[0])


def release_probe(generation: Generation) -> None:
    """Let another one be the probe, if this is it: it ended without telling how the provider is."""
    generation.is_probe = False
    _probed_by(generation).update(probe_id=None, probed_at=None)


def step_aside(generation: Generation) -> datetime | None:
    """Let another one that waits be the probe before this one; when this one may start, if held.

    For one that has failed and is queued again, in its tenant's scope. None, and not held, where
    the failure is the provider's for certain, and where a fallback can answer at once.
    """
    pause = Pause.objects.filter(
        deployment=generation.deployment_id, reason__in=_DOUBTFUL, is_asked=False
    ).first()
    mine = Generation.objects.queued().filter(pk=generation.pk)
    if pause is None or mine.due(timezone.now()).exists():
        return None
    not_before = pause.until + _STEP_ASIDE
    return not_before if mine.update(not_before=not_before) else None


def end_wait(deployment: Deployment) -> Pause | None:
    """Let the next generation be the probe at once; the pause as it was, None if nobody waited."""
    now = timezone.now()
    pause = Pause.objects.filter(deployment=deployment, until__gt=now).first()
    if pause is None or not Pause.objects.filter(pk=pause.pk, until=pause.until).update(until=now):
        return None
    return pause


def release_lost_probes() -> int:
    """Release the probes that do not run any longer: their worker has died. How many there were.

    For the sweep, in a scope that sees the generations of all tenants.
    """
    running = Generation.objects.running().filter(pk=OuterRef("probe_id"))
    before = timezone.now() - timedelta(seconds=_PROBE_SECONDS)
    lost = Pause.objects.filter(~Exists(running), probed_at__lt=before)
    return lost.update(probe_id=None, probed_at=None)


def _probed_by(generation: Generation) -> QuerySet[Pause]:
    return Pause.objects.filter(deployment=generation.deployment_id, probe_id=generation.pk)
