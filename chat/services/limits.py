"""How many messages of a member may wait."""

import math
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from chat.errors import TooManyWaiting
from chat.models import Generation
from chat.models.generations import GenerationQuerySet
from tenants.models import Membership

# When nothing tells how long it takes: about an answer's time.
_USUAL_SECONDS = 15


class _Hold(NamedTuple):
    """Whether a waiting generation may start, and if not, until when it is held."""

    may_start: bool
    held_until: datetime


def refuse_if_too_many_waiting(actor: Membership) -> None:
    """Raise TooManyWaiting when as many of this member's messages wait as may.

    Within the transaction that stores the next one: until it ends, no other of the same member is
    let through, so the limit is exact.
    """
    _wait_for_others(actor)
    mine = Generation.objects.queued().visible_to(actor)
    most = actor.tenant.max_queued_per_member
    if mine.count() < most:
        return
    seconds = _seconds_until_one_starts(mine)
    waits = "message waits" if most == 1 else "messages wait"
    raise TooManyWaiting(
        f"{most} of your {waits} for an answer already, and no more may."
        f" Try again in {seconds} seconds.",
        retry_after_seconds=seconds,
    )


def _wait_for_others(actor: Membership) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [str(actor.pk)])


def _seconds_until_one_starts(waiting: GenerationQuerySet) -> int:
    now = timezone.now()
    holds = [_Hold(*row) for row in waiting.with_holds(now).values_list(*_Hold._fields)]
    if any(hold.may_start for hold in holds):
        return _USUAL_SECONDS
    soonest = min(hold.held_until for hold in holds)
    return max(math.ceil((soonest - now).total_seconds()), 1)
