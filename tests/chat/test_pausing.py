"""What pauses a deployment, for how long, and what ends the pause."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from chat.errors import ProviderError
from chat.generation import pausing, probing, tickets
from chat.generation.claiming import claim_next
from chat.models import Deployment, DeploymentGrant, Generation, Pause
from tenants.models import Membership
from tests.chat.answers import another
from tests.conftest import Queue

Status = Generation.Status


def failure(code: str = "rate_limited", after: float | None = None) -> ProviderError:
    """A provider's failure, with or without a time to wait."""
    return ProviderError(code, retry_after_seconds=after)


def seconds_left() -> float:
    """For how long the only pause lasts."""
    return (Pause.objects.get().until - timezone.now()).total_seconds()


def end_of_pause() -> None:
    """As if its time had passed."""
    Pause.objects.update(until=timezone.now() - timedelta(seconds=1))


@pytest.fixture
def running(member: Membership, queue: Queue) -> list[Generation]:
    """Four calls that began before anything failed."""
    return [
        queue(member, status=Status.RUNNING, attempt=1, heartbeat_at=timezone.now())
        for _ in range(4)
    ]


@pytest.fixture
def probe(member: Membership, queue: Queue, running: list[Generation]) -> Generation:
    """The one that is let through after a first pause."""
    pausing.note_failure(running[0], failure())
    end_of_pause()
    queue(member)
    claimed = claim_next()
    assert claimed is not None
    assert claimed.is_probe
    return claimed


@pytest.mark.parametrize("code", ["rate_limited", "unavailable"])
def test_a_provider_that_says_when_is_believed(running: list[Generation], code: str) -> None:
    until = pausing.note_failure(running[0], failure(code, after=30))

    assert Pause.objects.get().until == until
    assert Pause.objects.get().reason == code
    assert 29 < seconds_left() <= 33


def test_the_end_of_a_pause_is_never_earlier_than_asked(running: list[Generation]) -> None:
    before = timezone.now()

    for generation in running:
        until = pausing.note_failure(generation, failure(after=0.2))
        assert until is not None
        assert (until - before).total_seconds() >= 0.2


@pytest.mark.parametrize("after", [float("inf"), 1e12])
def test_nobody_pauses_a_deployment_for_longer_than_a_day(
    running: list[Generation], after: float
) -> None:
    pausing.note_failure(running[0], failure(after=after))

    assert 86_000 < seconds_left() <= 86_400 * 1.1


@pytest.mark.parametrize(
    "code", ["timeout", "malformed", "unauthorised", "internal", "filtered", "context_too_long"]
)
def test_an_error_of_one_call_pauses_nothing(running: list[Generation], code: str) -> None:
    assert pausing.note_failure(running[0], failure(code)) is None
    assert not Pause.objects.exists()


def test_a_crowd_that_fails_at_once_counts_once(running: list[Generation]) -> None:
    ends = {pausing.note_failure(generation, failure()) for generation in running}

    assert len(ends) == 1
    assert Pause.objects.get().failures == 1


def test_of_a_crowd_the_longest_wait_counts(running: list[Generation]) -> None:
    for generation, after in zip(running, (10, 40, 20, None), strict=True):
        pausing.note_failure(generation, failure(after=after))

    assert 39 < seconds_left() <= 44
    assert Pause.objects.get().failures == 1


def test_each_probe_that_fails_waits_longer_up_to_a_minute(
    member: Membership, probe: Generation
) -> None:
    waits = []
    for _ in range(8):
        pausing.note_failure(probe, failure())
        waits.append(seconds_left())
        end_of_pause()
        Pause.objects.update(probe_id=probe.pk)

    expected = [2, 4, 8, 16, 32, 60, 60, 60]
    assert all(least - 1 < wait <= least * 1.1 for wait, least in zip(waits, expected, strict=True))
    assert Pause.objects.get().failures == 9


def test_a_probes_failure_makes_room_for_another_one(probe: Generation, queue: Queue) -> None:
    pausing.note_failure(probe, failure())
    end_of_pause()
    other = queue(Membership.objects.get(user=probe.user))

    claimed = claim_next()

    assert claimed == other
    assert claimed is not None
    assert claimed.is_probe


def test_the_probes_answer_ends_the_pause(probe: Generation) -> None:
    assert pausing.note_answer(probe)
    assert not Pause.objects.exists()
    assert not pausing.note_answer(probe)


def test_a_refusal_of_the_prompt_is_an_answer(probe: Generation) -> None:
    assert pausing.note_failure(probe, failure("filtered")) is None
    assert not Pause.objects.exists()


def test_an_answer_that_began_before_ends_no_pause(
    running: list[Generation], deployment: Deployment
) -> None:
    pausing.note_failure(running[0], failure())

    assert not pausing.note_answer(running[1])
    assert Pause.objects.exists()


def test_a_probe_that_is_stopped_leaves_its_place_to_another(
    probe: Generation, queue: Queue
) -> None:
    pausing.release_probe(probe)
    queue(Membership.objects.get(user=probe.user))

    claimed = claim_next()

    assert claimed is not None
    assert claimed.is_probe


def test_a_silent_probe_prolongs_the_pause(probe: Generation, queue: Queue) -> None:
    queue(Membership.objects.get(user=probe.user))

    until = pausing.note_failure(probe, failure("timeout"))

    pause = Pause.objects.get()
    assert (pause.until, pause.failures, pause.probe_id) == (until, 2, None)
    assert claim_next() is None


def test_a_probe_that_failed_does_not_release_itself_as_the_next_one(probe: Generation) -> None:
    pausing.note_failure(probe, failure())
    Pause.objects.update(probe_id=probe.pk)

    probing.give_up(probe)

    assert Pause.objects.get().probe_id == probe.pk


def test_a_late_release_leaves_another_probe_in_its_place(probe: Generation) -> None:
    other = uuid.uuid4()
    Pause.objects.update(probe_id=other)

    pausing.release_probe(probe)
    pausing.note_answer(probe)

    assert Pause.objects.get().probe_id == other


def test_the_sweep_releases_the_probe_of_a_worker_that_died(probe: Generation) -> None:
    Pause.objects.update(probed_at=timezone.now() - timedelta(minutes=1))
    assert pausing.release_lost_probes() == 0

    Generation.objects.filter(pk=probe.pk).update(status=Status.QUEUED)

    assert pausing.release_lost_probes() == 1
    assert Pause.objects.get().probe_id is None


def test_a_broker_that_is_away_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def refuse(name: str, **_: Any) -> None:
        asked.append(name)
        raise ConnectionError

    monkeypatch.setattr(current_app, "send_task", refuse)

    tickets.for_waiting(20)

    assert asked == ["chat.tasks.generate"]


# ── Waiting in vain ────────────────────────────────────────────────────────────────────────────
LONGEST = timedelta(seconds=120)


def in_vain() -> list[Generation]:
    """What should wait no longer."""
    return list(Generation.objects.in_vain(timezone.now(), longest=LONGEST))


def test_a_long_pause_ends_at_once_what_waits_for_it(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    waiting = queue(member)
    until = timezone.now() + 2 * LONGEST
    Pause.objects.create(deployment=deployment, reason="rate_limited", until=until)

    (row,) = in_vain()

    assert row == waiting
    assert vars(row)["pause_reason"] == "rate_limited"
    assert vars(row)["pause_until"] == until


def test_short_pauses_in_a_row_end_what_has_waited_for_long(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    now = timezone.now()
    long_waiting, _ = queue(member, queued_at=now - 2 * LONGEST), queue(member)
    Pause.objects.create(
        deployment=deployment,
        reason="unavailable",
        began_at=now - 2 * LONGEST,
        until=now + timedelta(seconds=30),
    )

    assert in_vain() == [long_waiting]


def test_nothing_waits_in_vain_for_a_pause_that_is_over_or_young(
    member: Membership, queue: Queue, deployment: Deployment
) -> None:
    now = timezone.now()
    queue(member, queued_at=now - 2 * LONGEST)
    pause = Pause.objects.create(
        deployment=deployment, reason="unavailable", until=now + timedelta(seconds=30)
    )
    assert in_vain() == []

    pause.began_at = now - 2 * LONGEST
    pause.until = now - timedelta(seconds=1)
    pause.save()

    assert in_vain() == []


@pytest.mark.parametrize(("seconds", "is_hope"), [(1, True), (600, False)])
def test_a_fallback_that_is_paused_for_a_moment_is_waited_for(
    member: Membership, queue: Queue, deployment: Deployment, seconds: int, *, is_hope: bool
) -> None:
    waiting, spare = queue(member), another(deployment, "spare")
    DeploymentGrant.objects.filter(deployment=deployment).update(fallback=spare)
    now = timezone.now()
    for paused, wait in ((deployment, 600), (spare, seconds)):
        until = now + timedelta(seconds=wait)
        Pause.objects.create(deployment=paused, reason="rate_limited", until=until)

    assert in_vain() == ([] if is_hope else [waiting])
