"""Reports: figures of known rows, each tenant's apart, by the days of the current time zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from chat import reports
from chat.models import Deployment, Generation, Message
from tenants.models import Invitation, Membership, Tenant
from tests.conftest import Queue

TODAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY = timedelta(days=1)
Status = Generation.Status


@pytest.fixture(autouse=True)
def zone() -> Iterator[ZoneInfo]:
    """Where the clocks went forward two days before TODAY."""
    berlin = ZoneInfo("Europe/Berlin")
    with timezone.override(berlin):
        yield berlin


@pytest.fixture
def send(queue: Queue) -> Queue:
    """A message of this member at this moment, with a generation in these fields."""

    def send(member: Membership, at: datetime = NOON, **fields: object) -> Generation:
        generation = queue(member, queued_at=at, **{"status": "completed", **fields})
        Message.objects.filter(pk=generation.prompt_id).update(created_at=at)
        return generation

    return send


def answer(prompt: Message) -> None:
    """A reply, which nobody sent."""
    reply = Message.objects.create(
        tenant=prompt.tenant, conversation=prompt.conversation, role="assistant", content="!"
    )
    Message.objects.filter(pk=reply.pk).update(created_at=prompt.created_at)


def only(tenant: Tenant) -> list[UUID]:
    """The argument that asks for one tenant."""
    return [tenant.pk]


# ── Use ────────────────────────────────────────────────────────────────────────────────────────
def test_use_counts_messages_of_members_and_who_sent_them(
    send: Queue, member: Membership, colleague: Membership
) -> None:
    for who in (member, member, colleague):
        answer(send(who).prompt)
    send(member, NOON - DAY)

    use = reports.use(tenants=None, days=2, today=TODAY)

    assert use.days == [(TODAY - DAY, 1, 1), (TODAY, 3, 2)]
    assert (use.messages, use.members) == (4, 2)


def test_every_day_of_a_period_is_there(send: Queue, member: Membership) -> None:
    send(member, NOON - 3 * DAY)

    use = reports.use(tenants=None, days=5, today=TODAY)
    waits = reports.waits(tenants=None, days=5, today=TODAY)

    expected = [TODAY - days * DAY for days in (4, 3, 2, 1, 0)]
    assert [day.day for day in use.days] == [day.day for day in waits.days] == expected
    assert [day.messages for day in use.days] == [0, 1, 0, 0, 0]


def test_days_begin_at_midnight_of_the_current_time_zone(
    send: Queue, member: Membership, zone: ZoneInfo
) -> None:
    midnight = datetime(2026, 3, 29, tzinfo=zone)  # this day has 23 hours
    for at in (midnight - timedelta(seconds=1), midnight, midnight.replace(hour=23, minute=59)):
        send(member, at)

    use = reports.use(tenants=None, days=4, today=TODAY)

    assert [day.messages for day in use.days] == [1, 2, 0, 0]


def test_a_period_has_no_message_from_before_and_none_from_after(
    send: Queue, member: Membership, zone: ZoneInfo
) -> None:
    start = datetime(2026, 3, 30, tzinfo=zone)
    for at in (start - timedelta(seconds=1), start + 2 * DAY):
        send(member, at)

    assert reports.use(tenants=None, days=2, today=TODAY).messages == 0
    assert not any(s.number for s in reports.end_states(tenants=None, days=2, today=TODAY))


# ── End states ─────────────────────────────────────────────────────────────────────────────────
def test_every_end_state_is_counted_and_what_is_live_is_not(
    send: Queue, member: Membership
) -> None:
    for status in ("completed", "completed", "failed", "queued"):
        send(member, status=status)

    states = reports.end_states(tenants=None, days=1, today=TODAY)

    assert dict(states) == {
        "completed": 2, "stopped": 0, "filtered": 0, "truncated": 0, "interrupted": 0, "failed": 1,
    }  # fmt: skip


# ── Waits ──────────────────────────────────────────────────────────────────────────────────────
def test_waits_are_percentiles_of_seconds_since_the_send(send: Queue, member: Membership) -> None:
    for seconds in range(1, 22):
        started = NOON + timedelta(seconds=seconds)
        send(member, started_at=started, first_token_at=started + timedelta(seconds=100))

    report = reports.waits(tenants=None, days=1, today=TODAY)

    assert report.days == [(TODAY, ((11.0, 20.0), (111.0, 120.0)))]
    assert report.whole == report.days[0].waits


def test_percentiles_of_the_whole_are_not_those_of_its_days(
    send: Queue, member: Membership
) -> None:
    for at, waited in ((NOON - DAY, 1), (NOON, 3), (NOON, 5)):
        send(member, at, started_at=at + timedelta(seconds=waited))

    report = reports.waits(tenants=None, days=2, today=TODAY)

    assert [day.waits.queue.p50 for day in report.days] == [1.0, 4.0]
    assert report.whole.queue.p50 == 3.0


def test_what_did_not_start_waits_in_no_figure(send: Queue, member: Membership) -> None:
    send(member, status="stopped")
    send(member, status="failed", started_at=NOON + timedelta(seconds=2))

    report = reports.waits(tenants=None, days=1, today=TODAY)

    assert report.whole == ((2.0, 2.0), (None, None))


def test_a_worker_whose_clock_is_behind_makes_no_negative_wait(
    send: Queue, member: Membership
) -> None:
    send(member, started_at=NOON - timedelta(milliseconds=30))

    assert reports.waits(tenants=None, days=1, today=TODAY).whole.queue == (0.0, 0.0)


# ── Attention ──────────────────────────────────────────────────────────────────────────────────
def fail(send: Queue, member: Membership, code: str, *, ago: timedelta = timedelta(0)) -> None:
    """A call that failed like this, that long ago."""
    ended = timezone.now() - ago
    send(member, ended, status="failed", error_code=code, ended_at=ended)


def test_failures_of_the_last_hours_are_counted_by_code(send: Queue, member: Membership) -> None:
    for code in ("timeout", "internal", "timeout"):
        fail(send, member, code)
    fail(send, member, "malformed", ago=timedelta(hours=25))

    assert reports.failures(tenants=None) == [("timeout", 2), ("internal", 1)]


def test_a_deployment_that_refuses_calls_is_named_with_its_codes(
    send: Queue, member: Membership, deployment: Deployment
) -> None:
    for code in ("rate_limited", "unauthorised", "rate_limited"):
        fail(send, member, code)

    refusals = reports.refusing_deployments(tenants=None)

    assert refusals == [(deployment.pk, "Small model", 3, ["rate_limited", "unauthorised"])]


@pytest.mark.parametrize("status", reports.ANSWERED)
def test_a_deployment_that_has_answered_since_refuses_nothing(
    send: Queue, member: Membership, status: str
) -> None:
    fail(send, member, "timeout", ago=timedelta(minutes=2))
    now = timezone.now()
    send(member, now, status=status, ended_at=now)

    assert reports.refusing_deployments(tenants=None) == []


def test_a_deployment_that_answered_between_two_refusals_does_refuse(
    send: Queue, member: Membership
) -> None:
    fail(send, member, "unavailable", ago=timedelta(minutes=4))
    between = timezone.now() - timedelta(minutes=2)
    send(member, between, status="completed", ended_at=between)
    fail(send, member, "unavailable")

    assert [refusal.number for refusal in reports.refusing_deployments(tenants=None)] == [2]


@pytest.mark.parametrize("code", ["internal", "worker_lost", "context_too_long", "malformed"])
def test_a_failure_of_another_kind_is_no_refusal(
    send: Queue, member: Membership, code: str
) -> None:
    fail(send, member, code)

    assert reports.refusing_deployments(tenants=None) == []


def test_refusals_of_long_ago_or_of_a_retired_deployment_need_no_attention(
    send: Queue, member: Membership, deployment: Deployment
) -> None:
    fail(send, member, "timeout", ago=timedelta(minutes=61))
    assert reports.refusing_deployments(tenants=None) == []

    fail(send, member, "timeout")
    Deployment.objects.filter(pk=deployment.pk).update(is_active=False)
    assert reports.refusing_deployments(tenants=None) == []


def invite(tenant: Tenant, email: str, **fields: object) -> None:
    """An invitation, which is open unless its fields say otherwise."""
    Invitation.objects.create(tenant=tenant, email=email, token_hash=email, **fields)


def test_only_invitations_that_can_still_be_accepted_are_open(tenant: Tenant) -> None:
    now = timezone.now()
    invite(tenant, "open@example.org")
    invite(tenant, "in@example.org", accepted_at=now)
    invite(tenant, "no@example.org", withdrawn_at=now)
    invite(tenant, "late@example.org", expires_at=now - DAY)

    assert reports.open_invitations(tenants=None) == 1


# ── Tenants ────────────────────────────────────────────────────────────────────────────────────
def test_no_figure_holds_anything_of_another_tenant(
    send: Queue, member: Membership, outsider: Membership
) -> None:
    send(outsider, started_at=NOON + timedelta(seconds=5))
    fail(send, outsider, "timeout")
    invite(outsider.tenant, "open@example.org")
    mine = only(member.tenant)

    assert reports.use(tenants=mine, days=1, today=TODAY) == ([(TODAY, 0, 0)], 0)
    assert not any(s.number for s in reports.end_states(tenants=mine, days=1, today=TODAY))
    assert reports.waits(tenants=mine, days=1, today=TODAY).whole == reports.Waits()
    assert reports.failures(tenants=mine) == []
    assert reports.refusing_deployments(tenants=mine) == []
    assert reports.open_invitations(tenants=mine) == 0


def test_an_answer_to_another_tenant_does_not_hide_a_refusal(
    send: Queue, member: Membership, outsider: Membership
) -> None:
    fail(send, member, "unauthorised", ago=timedelta(minutes=1))
    now = timezone.now()
    send(outsider, now, status="completed", ended_at=now)

    assert reports.refusing_deployments(tenants=only(member.tenant)) != []
    assert reports.refusing_deployments(tenants=None) == []


def test_several_tenants_are_added_up(
    send: Queue, member: Membership, outsider: Membership
) -> None:
    for who in (member, outsider):
        send(who)

    both = reports.use(tenants=[*only(member.tenant), *only(outsider.tenant)], days=1, today=TODAY)
    none = reports.use(tenants=[], days=1, today=TODAY)

    assert (both.messages, both.members) == (2, 2)
    assert (none.messages, none.members) == (0, 0)
