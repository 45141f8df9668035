"""Pauses of deployments: made by a failure, in force for all workers, ended by one probe's answer.

A deployment whose provider refuses or is away is called by nobody until the pause's `until`. Then
it is half open: the claim lets one generation through as the probe, and what that one meets ends
the pause or prolongs it.
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

_LONGEST_BACK_OFF_SECONDS = 60
_LONGEST_RETRY_AFTER_SECONDS = 24 * 3600
_JITTER = 0.1
_LEAST_JITTER_SECONDS = 0.1
# A probe is told to be lost no sooner: what has just been claimed is not in every snapshot yet.
_PROBE_SECONDS = 5


def note_failure(generation: Generation, error: ProviderError) -> datetime | None:
    """Pause the generation's deployment if the error says that it cannot answer; until when.

    Of one in a crowd that fails, the pause is the same for all; only a longer Retry-After prolongs
    it. A probe's failure prolongs it always, and so does its provider's silence: else the others
    would try one after the other, and each in vain. None, and no pause, for errors of the call
    alone.
    """
    if error.code in _PAUSING or (generation.is_probe and error.code == "timeout"):
        return _pause(generation, error)
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
