"""The admin's start page: what needs attention and how the last weeks went, for who is looking."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from chat import reports
from chat.models import Deployment, Generation
from portal.charts import (
    Chart,
    Part,
    Series,
    Words,
    columns,
    count_words,
    lines,
    ranking,
    seconds_words,
)
from tenants.access import access_of
from tenants.models import Invitation
from tenants.rights import Right

DAYS = 30
FAILED_HOURS = 24
REFUSED_MINUTES = 60

ERRORS = {
    "rate_limited": "The provider's limit was reached",
    "unauthorised": "The provider refused our key or identity",
    "unavailable": "The provider could not be reached",
    "timeout": "The model was silent for too long",
    "malformed": "The provider's answer could not be read",
    "context_too_long": "The conversation was too long for the model",
    "cut_off": "The connection to the model broke",
    "worker_lost": "The worker stopped",
    "internal": "A fault of the portal itself",
}
_STATE_STYLES = {
    "completed": "is-good",
    "stopped": "is-plain",
    "filtered": "is-doubtful",
    "truncated": "is-doubtful",
    "interrupted": "is-bad",
    "failed": "is-bad",
}


class Item(NamedTuple):
    """One line of a concern; `link` is empty where the person may not look further."""

    figure: str
    text: str
    code: str
    link: str


class Concern(NamedTuple):
    """Something to look after; without a count, `calm` says that all is well."""

    title: str
    number: int
    is_urgent: bool
    calm: str
    items: Sequence[Item] = ()
    link: str = ""
    more: str = ""


def with_reports(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The start page's context with concerns and charts, for whoever has the right to reports."""
    tenants = _tenants(request)
    if tenants is not None and not tenants:
        return context
    return context | {
        "report_scope": _scope_words(request),
        "report_days": DAYS,
        "concerns": [
            _failures(request, tenants),
            _refusals(request, tenants),
            _invitations(request, tenants),
        ],
        "charts": _charts(tenants),
    }


def _tenants(request: HttpRequest) -> Collection[UUID] | None:
    """The tenants whose reports this person sees; None: all."""
    access = access_of(request)
    if access.is_administrator:
        return None
    return [tenant.pk for tenant in access.tenants_with(Right.SEE_REPORTS)]


def _scope_words(request: HttpRequest) -> str:
    access = access_of(request)
    if access.is_administrator:
        return "All tenants"
    return ", ".join(tenant.name for tenant in access.tenants_with(Right.SEE_REPORTS))


# ── What needs attention ───────────────────────────────────────────────────────────────────────
def _failures(request: HttpRequest, tenants: Collection[UUID] | None) -> Concern:
    failures = reports.failures(tenants=tenants, hours=FAILED_HOURS)
    since = (timezone.now() - timedelta(hours=FAILED_HOURS)).isoformat(timespec="seconds")
    failed = {"status__exact": "failed", "ended_at__gte": since}
    items = [
        Item(
            count_words(failure.number),
            ERRORS.get(failure.error_code, "Another reason"),
            failure.error_code,
            _list_link(request, Generation, q=failure.error_code, **failed),
        )
        for failure in failures
    ]
    return Concern(
        "Failed generations",
        sum(failure.number for failure in failures),
        is_urgent=True,
        calm=f"None in the last {FAILED_HOURS} hours",
        items=items,
        more=f"In the last {FAILED_HOURS} hours, by reason",
    )


def _refusals(request: HttpRequest, tenants: Collection[UUID] | None) -> Concern:
    refusals = reports.refusing_deployments(tenants=tenants, minutes=REFUSED_MINUTES)
    items = [
        Item(
            count_words(refusal.number),
            refusal.label,
            ", ".join(refusal.error_codes),
            _page_link(request, Deployment, refusal.deployment_id),
        )
        for refusal in refusals
    ]
    return Concern(
        "Deployments refusing calls",
        len(refusals),
        is_urgent=True,
        calm=f"None in the last {REFUSED_MINUTES} minutes",
        items=items,
        more=f"Calls refused in the last {REFUSED_MINUTES} minutes, and none answered since",
    )


def _invitations(request: HttpRequest, tenants: Collection[UUID] | None) -> Concern:
    return Concern(
        "Invitations open",
        reports.open_invitations(tenants=tenants),
        is_urgent=False,
        calm="None waits for an answer",
        link=_list_link(request, Invitation),
        more="Sent, not yet accepted",
    )


def _may_view(request: HttpRequest, model: type[Model]) -> bool:
    if not admin.site.is_registered(model):
        return False
    return bool(admin.site.get_model_admin(model).has_view_permission(request))


def _list_link(request: HttpRequest, model: type[Model], **query: str) -> str:
    if not _may_view(request, model):
        return ""
    meta = model._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return f"{address}?{urlencode(query)}" if query else address


def _page_link(request: HttpRequest, model: type[Model], pk: UUID) -> str:
    if not _may_view(request, model):
        return ""
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk])


# ── How the last weeks went ────────────────────────────────────────────────────────────────────
def _charts(tenants: Collection[UUID] | None) -> dict[str, Chart]:
    """By the id that each has in the page, in their order there."""
    use = reports.use(tenants=tenants, days=DAYS)
    waits = reports.waits(tenants=tenants, days=DAYS)
    return {
        "messages": _messages(use),
        "members": _members(use),
        "end-states": _end_states(tenants),
        "queue-wait": _queue_wait(waits),
        "first-token": _first_token(waits),
    }


def _messages(use: reports.Use) -> Chart:
    words = Words(
        "Messages per day",
        count_words(use.messages),
        "sent by members",
        f"No messages in the last {DAYS} days.",
    )
    return columns(words, [day.day for day in use.days], [day.messages for day in use.days])


def _members(use: reports.Use) -> Chart:
    words = Words(
        "Active members per day",
        count_words(use.members),
        "person sent messages" if use.members == 1 else "different people sent messages",
        f"Nobody sent a message in the last {DAYS} days.",
    )
    return columns(words, [day.day for day in use.days], [day.members for day in use.days])


def _queue_wait(report: reports.WaitReport) -> Chart:
    return _wait(
        "Queue wait",
        [day.day for day in report.days],
        [day.waits.queue for day in report.days],
        whole=report.whole.queue,
        empty=f"No worker took a generation in the last {DAYS} days.",
    )


def _first_token(report: reports.WaitReport) -> Chart:
    return _wait(
        "Time to first token",
        [day.day for day in report.days],
        [day.waits.first_token for day in report.days],
        whole=report.whole.first_token,
        empty=f"No answer began in the last {DAYS} days.",
    )


def _wait(
    title: str,
    days: Sequence[date],
    by_day: Sequence[reports.Percentiles],
    *,
    whole: reports.Percentiles,
    empty: str,
) -> Chart:
    note = f"or less for half of all (p50), {seconds_words(whole.p95)} for 19 in 20 (p95)"
    words = Words(title, seconds_words(whole.p50), note, empty)
    series = [
        Series("p50 (half)", "is-typical", [one.p50 for one in by_day]),
        Series("p95 (19 in 20)", "is-slow", [one.p95 for one in by_day]),
    ]
    return lines(words, days, series)


def _end_states(tenants: Collection[UUID] | None) -> Chart:
    states = reports.end_states(tenants=tenants, days=DAYS)
    total = sum(state.number for state in states)
    words = Words(
        "Generations by end state",
        count_words(total),
        "ended",
        f"No generation has ended in the last {DAYS} days.",
    )
    parts = [
        Part(state.status.label, state.number, _STATE_STYLES[state.status]) for state in states
    ]
    return ranking(words, parts, head=("End state", "Generations"))
