"""What queued generations wait for: one look of a process for all that people follow."""

import math
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Literal, NamedTuple

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from chat.models import Generation
from tenants.scope import platform_scope

Reason = Literal["queue", "provider", "pause", "limit", "tenant_limit", "platform_limit"]


class Waiting(NamedTuple):
    """Why a generation has not started.

    `queue`: `ahead` of its tenant start before it. `provider`: its deployment is paused, as its
    provider asked, for `seconds` still (0: it is being tried just now), and no fallback may be
    called; `pause`: the same by our own guess. `limit`: its member has as many running as they may,
    `ahead`; `tenant_limit`: its tenant has, and this one is the next to start; `platform_limit`:
    all tenants together have, and so.
    """

    reason: Reason
    ahead: int
    seconds: int


class _Place(NamedTuple):
    """A queued generation in its tenant's line."""

    pk: uuid.UUID
    tenant_id: uuid.UUID
    user_id: uuid.UUID
    may_start: bool
    held_until: datetime | None
    is_asked: bool
    most_of_tenant: int
    most_of_member: int

    @property
    def member(self) -> tuple[uuid.UUID, uuid.UUID]:
        """Whose it is, in which tenant."""
        return self.tenant_id, self.user_id


class _Running:
    """How many answers are being written: of each tenant, of each of its members, and of all."""

    def __init__(self) -> None:
        self.of_tenant: Counter[uuid.UUID] = Counter()
        self.of_member: Counter[tuple[uuid.UUID, uuid.UUID]] = Counter()
        rows = Generation.objects.running().values_list("tenant", "user").annotate(Count("pk"))
        for tenant_id, user_id, count in rows:
            self.of_tenant[tenant_id] += count
            self.of_member[tenant_id, user_id] += count

    def reached(self, place: _Place) -> tuple[Reason, int] | None:
        """The limit that this one waits for, the nearest first, and how many run within it."""
        of_member, of_tenant = self.of_member[place.member], self.of_tenant[place.tenant_id]
        if of_member >= place.most_of_member:
            return "limit", of_member
        if of_tenant >= place.most_of_tenant:
            return "tenant_limit", of_tenant
        if self.of_tenant.total() >= settings.CHAT_MAX_RUNNING:
            return "platform_limit", self.of_tenant.total()
        return None


def look(generation_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Waiting]:
    """What those of these generations wait for that are queued; two queries for all of them."""
    with platform_scope("what the followed generations of all tenants wait for"):
        return _look(generation_ids)


def look_within(generation: Generation) -> Waiting | None:
    """What this one waits for, as far as its tenant's scope shows; None when it is not queued.

    There, a `platform_limit` looks like the `queue`.
    """
    return _look([generation.pk]).get(generation.pk)


def _look(generation_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Waiting]:
    now = timezone.now()
    lines = Generation.objects.lines_of(generation_ids, now).values_list(*_Place._fields)
    places = [_Place(*row) for row in lines]
    if not places:
        return {}
    wanted = set(generation_ids)
    return {pk: waiting for pk, waiting in _walk(places, _Running(), now) if pk in wanted}


def _walk(
    places: Iterable[_Place], running: _Running, now: datetime
) -> Iterator[tuple[uuid.UUID, Waiting]]:
    """Along the lines, oldest first. Who has reached their own limit is in the way of nobody."""
    ahead: Counter[uuid.UUID] = Counter()
    for place in places:
        reason, count = running.reached(place) or ("queue", 0)
        if not place.may_start:
            held: Reason = "provider" if place.is_asked else "pause"
            yield place.pk, Waiting(held, 0, _seconds(place.held_until, now))
        elif reason == "limit":
            yield place.pk, Waiting(reason, count, 0)
        else:
            before = ahead[place.tenant_id]
            yield place.pk, Waiting("queue", before, 0) if before else Waiting(reason, count, 0)
            ahead[place.tenant_id] += 1


def _seconds(until: datetime | None, now: datetime) -> int:
    return max(math.ceil((until - now).total_seconds()), 0) if until else 0
