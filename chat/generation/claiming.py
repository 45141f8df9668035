"""Which generation runs next: fair between tenants, within every limit, past what is paused."""

import threading
import uuid
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.utils import timezone

from chat.models import Deployment, Generation, Pause
from tenants.scope import narrow_scope, platform_scope

# The claims of all workers come one after the other: each counts what the earlier ones took.
_LOCK_ID = int.from_bytes(b"claiming")
# Whoever falls silent with the lock in hand loses it, and the claim with it.
_LONGEST_SILENCE = "10s"
# Most looks come from runs that ended, and find nothing: then there is no lock to wait for.
_LOCK = """
SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_advisory_xact_lock(%s)
WHERE EXISTS (SELECT FROM chat_generation WHERE status = 'queued')
"""

# Of each tenant that waits and has room, its first generation that may start; of these, that of
# the tenant with the fewest running. `closed` are deployments that nobody may call now; where a
# fallback stands in, it is looked for anew each time, so the one that was asked for comes first.
# `missed` is what this claim could not take before.
_NEXT = """
WITH running AS MATERIALIZED (
    SELECT tenant_id, user_id, count(*) AS answers FROM chat_generation
    WHERE status = 'running' GROUP BY tenant_id, user_id
), closed AS MATERIALIZED (
    SELECT deployment_id FROM chat_pause WHERE until > %(now)s OR probe_id IS NOT NULL
), crowd AS (
    SELECT tenant.id, tenant.max_running_per_member, coalesce(sum(running.answers), 0) AS answers
    FROM tenants_tenant AS tenant LEFT JOIN running ON running.tenant_id = tenant.id
    WHERE tenant.status = 'active'
        AND tenant.id IN (SELECT tenant_id FROM chat_generation WHERE status = 'queued')
    GROUP BY tenant.id
    HAVING coalesce(sum(running.answers), 0) < tenant.max_running
)
SELECT first.id, crowd.id, first.asked_id, first.callable_id,
    EXISTS (SELECT FROM chat_pause WHERE deployment_id = first.callable_id)
FROM crowd CROSS JOIN LATERAL (
    SELECT waiting.id, waiting.queued_at, asked.id AS asked_id, callable.id AS callable_id
    FROM chat_generation AS waiting
    CROSS JOIN LATERAL (
        SELECT coalesce(waiting.stands_in_for_id, waiting.deployment_id) AS id
    ) AS asked
    CROSS JOIN LATERAL (
        SELECT asked.id WHERE asked.id NOT IN (TABLE closed)
        UNION ALL
        SELECT fallback.deployment_id
        FROM chat_deploymentgrant AS given
        JOIN chat_deploymentgrant AS fallback
            ON fallback.tenant_id = given.tenant_id AND fallback.deployment_id = given.fallback_id
        JOIN chat_deployment AS deployment ON deployment.id = fallback.deployment_id
        WHERE given.tenant_id = waiting.tenant_id AND given.deployment_id = asked.id
            AND fallback.is_offered AND deployment.is_active
            AND deployment.id NOT IN (TABLE closed)
        LIMIT 1
    ) AS callable
    WHERE waiting.tenant_id = crowd.id AND waiting.status = 'queued'
        AND waiting.id <> ALL(%(missed)s::uuid[])
        AND (waiting.not_before IS NULL OR waiting.not_before <= %(now)s)
        AND crowd.max_running_per_member > coalesce((
            SELECT answers FROM running
            WHERE running.tenant_id = waiting.tenant_id AND running.user_id = waiting.user_id
        ), 0)
        AND EXISTS (
            SELECT FROM tenants_membership AS membership
            JOIN tenants_user AS person ON person.id = membership.user_id
            WHERE membership.tenant_id = waiting.tenant_id AND person.id = waiting.user_id
                AND membership.is_active AND person.is_active
        )
    ORDER BY waiting.queued_at, waiting.id LIMIT 1
) AS first
WHERE %(most)s > (SELECT coalesce(sum(answers), 0) FROM running)
ORDER BY crowd.answers, first.queued_at, first.id LIMIT 1
"""

# A try fails only when what it chose is stopped, deleted or paused in the same moment.
_TRIES = 20
# One claim at a time and process: others would wait for the lock with a connection in their hands.
_turn = threading.Lock()

_TAKEN = ["attempt", "status", "started_at", "heartbeat_at", "deployment", "stands_in_for"]


class _Choice(NamedTuple):
    """A generation that may start, and with which deployment."""

    generation_id: uuid.UUID
    tenant_id: uuid.UUID
    asked_id: uuid.UUID
    deployment_id: uuid.UUID
    is_probe: bool


def claim_next() -> Generation | None:
    """Take the next waiting generation for the calling worker, or None when none may start.

    Fair: the tenant with the fewest running generations first, then the oldest. Never above
    `max_running` of a tenant, its `max_running_per_member`, or CHAT_MAX_RUNNING of all. One whose
    deployment is paused goes to the tenant's fallback, or is passed over; when the pause is over,
    the first to come is its probe (`is_probe`). The claim is committed on return, with `attempt`
    raised by one. Looks at all tenants, and takes in the scope of one. Waits for no generation that
    somebody else has locked: another one comes first.
    """
    missed: list[uuid.UUID] = []
    with _turn:
        for _ in range(_TRIES):
            choice, claimed = _claim(missed)
            if claimed or choice is None:
                return claimed
            missed.append(choice.generation_id)
    return None


def _claim(missed: list[uuid.UUID]) -> tuple[_Choice | None, Generation | None]:
    """What may start, if anything may, and the same claimed, if it still waited for us."""
    with platform_scope("claim: whose turn it is"):
        is_anything_queued = _wait_for_others()
        now = timezone.now()
        choice = _choose(now, missed) if is_anything_queued else None
        if choice is None:
            return None, None
        narrow_scope(choice.tenant_id)
        return choice, _take(choice, now)


def _wait_for_others() -> bool:
    """Wait for the claims under way; False, and no lock taken, when nothing is queued at all."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [_LONGEST_SILENCE, _LOCK_ID])
        return cursor.fetchone() is not None


def _choose(now: datetime, missed: list[uuid.UUID]) -> _Choice | None:
    most = settings.CHAT_MAX_RUNNING
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"now": now, "most": most, "missed": missed})
        row = cursor.fetchone()
    return _Choice(*row) if row else None


def _take(choice: _Choice, now: datetime) -> Generation | None:
    waiting = Generation.objects.queued().filter(pk=choice.generation_id)
    related = waiting.select_related("deployment", "conversation", "tenant")
    claimed = related.select_for_update(of=("self",), skip_locked=True).first()
    if claimed is None or not _may_call(choice, now):
        return None
    claimed.attempt += 1
    claimed.status = Generation.Status.RUNNING
    claimed.started_at = claimed.heartbeat_at = now
    if claimed.deployment_id != choice.deployment_id:
        claimed.deployment = Deployment.objects.get(pk=choice.deployment_id)
    is_asked = choice.asked_id == choice.deployment_id
    claimed.stands_in_for_id = None if is_asked else choice.asked_id
    claimed.save(update_fields=_TAKEN)
    claimed.is_probe = choice.is_probe
    return claimed


def _may_call(choice: _Choice, now: datetime) -> bool:
    """Whether no pause is in the way; of one that is over, this becomes the probe."""
    if not choice.is_probe:
        return True
    pause = Pause.objects.open_to(choice.deployment_id, now)
    return bool(pause.update(probe_id=choice.generation_id, probed_at=now))
