"""Figures for whoever runs tenants: use, waiting times, how generations end, what needs attention.

Every function takes the tenants to look at (None: all, for the platform). Row-level security holds
beneath it; the filter here comes on top. Periods are whole days of the current time zone that end
with `today`, and every day is there, also one on which nothing happened. What went with a deleted
conversation is in no figure any more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Aggregate, Count, F, Max, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import TruncDate
from django.utils import timezone

from chat.models import Generation, Message
from tenants.models import Invitation

Tenants = Collection[UUID] | None
Rows = TypeVar("Rows", bound=QuerySet[Any])
Status = Generation.Status

END_STATES = tuple(status for status in Status if status not in Generation.LIVE)
# Ends of a call in which the model answered, whatever became of the answer.
ANSWERED = (Status.COMPLETED, Status.TRUNCATED, Status.FILTERED)
# Codes of a ProviderError that say: not now, or not for us.
REFUSALS = ("unauthorised", "rate_limited", "unavailable", "timeout")
# How long before its end a generation may have been queued: so an index on `queued_at` serves.
_LONGEST_LIFE = timedelta(days=1)


class DayOfUse(NamedTuple):
    """Messages that members sent on a day, and how many different people sent them."""

    day: date
    messages: int
    members: int


class Use(NamedTuple):
    """A period's days, oldest first, and the number of different people who sent in it."""

    days: Sequence[DayOfUse]
    members: int

    @property
    def messages(self) -> int:
        """Messages sent in the period."""
        return sum(day.messages for day in self.days)


class EndState(NamedTuple):
    """How many generations ended in this state."""

    status: Generation.Status
    number: int


class Percentiles(NamedTuple):
    """Half, and nineteen in twenty, took no more seconds than this; None where there were none."""

    p50: float | None = None
    p95: float | None = None


class Waits(NamedTuple):
    """What people waited, from the send on.

    `queue`: until a worker took it (`started_at - queued_at`, of the last attempt).
    `first_token`: until the first text (`first_token_at - queued_at`), so with the queue in it.
    """

    queue: Percentiles = Percentiles()
    first_token: Percentiles = Percentiles()


class DayOfWaits(NamedTuple):
    """The waits of the generations that were queued on a day."""

    day: date
    waits: Waits


class WaitReport(NamedTuple):
    """A period's days, oldest first, and the whole of it."""

    days: Sequence[DayOfWaits]
    whole: Waits


class Failure(NamedTuple):
    """How many generations failed with this code."""

    error_code: str
    number: int


class Refusal(NamedTuple):
    """A deployment that refuses calls, how many it refused, and with which codes."""

    deployment_id: UUID
    label: str
    number: int
    error_codes: Sequence[str]


class _Period(NamedTuple):
    """Whole days of the current time zone; `end` is the first moment after them."""

    days: Sequence[date]
    start: datetime
    end: datetime


class _Percentile(Aggregate):
    """PostgreSQL's percentile_cont, which ignores NULL and interpolates."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"


def use(*, tenants: Tenants, days: int, today: date | None = None) -> Use:
    """Messages and active members of each day; a person active on two days is one in the whole."""
    period = _period(days, today)
    sent = _of(Message.objects.all(), tenants).filter(
        role=Message.Role.USER, created_at__gte=period.start, created_at__lt=period.end
    )
    members = Count("conversation__owner", distinct=True)
    by_day = sent.values(day=TruncDate("created_at")).annotate(messages=Count("*"), members=members)
    found = {row["day"]: DayOfUse(**row) for row in by_day.order_by("day")}
    whole = sent.aggregate(members=members)["members"]
    return Use([found.get(day, DayOfUse(day, 0, 0)) for day in period.days], whole or 0)


def end_states(*, tenants: Tenants, days: int, today: date | None = None) -> list[EndState]:
    """How the period's generations ended, by the day on which they were queued; every state."""
    queued = _queued(tenants, _period(days, today)).filter(status__in=END_STATES)
    counts = dict(queued.values_list("status").annotate(number=Count("*")).order_by())
    return [EndState(status, counts.get(status, 0)) for status in END_STATES]


def waits(*, tenants: Tenants, days: int, today: date | None = None) -> WaitReport:
    """Queue wait and time to the first token, in seconds."""
    period = _period(days, today)
    started = _queued(tenants, period).filter(started_at__isnull=False)
    figures = {
        f"{name}_{fraction}": _Percentile(_since_queued(field), fraction=fraction / 100)
        for name, field in (("queue", "started_at"), ("first", "first_token_at"))
        for fraction in (50, 95)
    }
    by_day = started.values(day=TruncDate("queued_at")).annotate(**figures).order_by("day")
    found = {row["day"]: _waits(row) for row in by_day}
    whole = _waits(started.aggregate(**figures))
    return WaitReport([DayOfWaits(day, found.get(day, Waits())) for day in period.days], whole)


def failures(*, tenants: Tenants, hours: int = 24) -> list[Failure]:
    """Generations that failed in the last hours, by error code, the commonest first."""
    failed = _ended(tenants, timedelta(hours=hours)).filter(status=Status.FAILED)
    counted = failed.values_list("error_code").annotate(number=Count("*"))
    return [Failure(*row) for row in counted.order_by("-number", "error_code")]


def refusing_deployments(*, tenants: Tenants, minutes: int = 60) -> list[Refusal]:
    """Active deployments that refused a call in the last minutes, and have answered none since.

    As far as these tenants can tell: only their own calls count.
    """
    refused = Q(status=Status.FAILED, error_code__in=REFUSALS)
    called = _ended(tenants, timedelta(minutes=minutes)).filter(deployment__is_active=True)
    by_deployment = called.values("deployment", "deployment__label").annotate(
        refusals=Count("pk", filter=refused),
        codes=ArrayAgg("error_code", filter=refused, distinct=True),
        refused_at=Max("ended_at", filter=refused),
        answered_at=Max("ended_at", filter=Q(status__in=ANSWERED)),
    )
    still = by_deployment.filter(refusals__gt=0).filter(
        Q(answered_at=None) | Q(answered_at__lt=F("refused_at"))
    )
    rows = still.values_list("deployment", "deployment__label", "refusals", "codes")
    return [Refusal(*row) for row in rows.order_by("-refusals", "deployment__label")]


def open_invitations(*, tenants: Tenants) -> int:
    """Invitations that can still be accepted."""
    return _of(Invitation.objects.open(), tenants).count()


def _of(rows: Rows, tenants: Tenants) -> Rows:
    return rows if tenants is None else rows.filter(tenant__in=tenants)


def _queued(tenants: Tenants, period: _Period) -> QuerySet[Generation]:
    return _of(Generation.objects.all(), tenants).filter(
        queued_at__gte=period.start, queued_at__lt=period.end
    )


def _ended(tenants: Tenants, ago: timedelta) -> QuerySet[Generation]:
    since = timezone.now() - ago
    return _of(Generation.objects.all(), tenants).filter(
        queued_at__gte=since - _LONGEST_LIFE, ended_at__gte=since
    )


def _period(days: int, today: date | None) -> _Period:
    last = today or timezone.localdate()
    span = [last - timedelta(days=back) for back in reversed(range(days))]
    zone = timezone.get_current_timezone()
    start = datetime.combine(span[0], time.min, tzinfo=zone)
    end = datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone)
    return _Period(span, start, end)


def _since_queued(field: str) -> CombinedExpression:
    return F(field) - F("queued_at")


def _waits(row: Mapping[str, Any]) -> Waits:
    return Waits(
        Percentiles(_seconds(row["queue_50"]), _seconds(row["queue_95"])),
        Percentiles(_seconds(row["first_50"]), _seconds(row["first_95"])),
    )


def _seconds(duration: timedelta | None) -> float | None:
    # The web's clock queued it and the worker's started it: they may differ a little.
    return None if duration is None else max(0.0, duration.total_seconds())
