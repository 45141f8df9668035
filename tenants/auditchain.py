"""The hash chain of the audit log: a migration operation that makes it, and its verification.

The hash of an event is the SHA-256, in hex, of this JSON array as PostgreSQL writes it (`", "`
between elements, jsonb's own order of keys): sequence, previous hash, id, tenant id, actor id, time
(UTC, microseconds), action, subject, request id, client address, detail. Verification computes it
here, without the database's function.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import connection
from django.db.migrations.operations import RunSQL

_ARRAY = """jsonb_build_array(
    {row}.sequence, {row}.previous_hash, {row}.id, {row}.tenant_id, {row}.actor_id,
    to_char({row}.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    {row}.action, {row}.subject, {row}.request_id, host({row}.client_address), {row}.detail
)::text"""

# Runs as its owner: the application may not write the chain's head by itself.
_FUNCTION = """
CREATE FUNCTION atrium_chain_audit_event() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    INSERT INTO tenants_audithead AS head (tenant_id, sequence, hash)
        VALUES (NEW.tenant_id, 1, '')
        ON CONFLICT (tenant_id) DO UPDATE SET sequence = head.sequence + 1
        RETURNING head.sequence, head.hash INTO NEW.sequence, NEW.previous_hash;
    NEW.hash := encode(sha256(convert_to($array, 'UTF8')), 'hex');
    UPDATE tenants_audithead SET hash = NEW.hash WHERE tenant_id IS NOT DISTINCT FROM NEW.tenant_id;
    RETURN NEW;
END $$;
CREATE TRIGGER tenants_auditevent_chained BEFORE INSERT ON tenants_auditevent
    FOR EACH ROW EXECUTE FUNCTION atrium_chain_audit_event();
"""

# Events from before there was a chain, in the order of their time.
_CHAIN_THE_OLD = """
ALTER TABLE tenants_auditevent DISABLE TRIGGER tenants_auditevent_append_only;
DO $$ DECLARE event tenants_auditevent; ended tenants_audithead; BEGIN
    FOR event IN SELECT * FROM tenants_auditevent ORDER BY created_at, id LOOP
        SELECT * INTO ended FROM tenants_audithead
            WHERE tenant_id IS NOT DISTINCT FROM event.tenant_id;
        event.sequence := coalesce(ended.sequence, 0) + 1;
        event.previous_hash := coalesce(ended.hash, '');
        event.hash := encode(sha256(convert_to($array, 'UTF8')), 'hex');
        UPDATE tenants_auditevent SET sequence = event.sequence, hash = event.hash,
            previous_hash = event.previous_hash WHERE id = event.id;
        INSERT INTO tenants_audithead (tenant_id, sequence, hash)
            VALUES (event.tenant_id, event.sequence, event.hash)
            ON CONFLICT (tenant_id) DO UPDATE
            SET sequence = EXCLUDED.sequence, hash = EXCLUDED.hash;
    END LOOP;
END $$;
ALTER TABLE tenants_auditevent ENABLE TRIGGER tenants_auditevent_append_only;
"""


def chained() -> RunSQL:
    """A migration operation: the database chains every audit event, those that are there too."""
    return RunSQL(
        sql=_CHAIN_THE_OLD.replace("$array", _ARRAY.format(row="event"))
        + _FUNCTION.replace("$array", _ARRAY.format(row="NEW")),
        reverse_sql="""
        DROP TRIGGER tenants_auditevent_chained ON tenants_auditevent;
        DROP FUNCTION atrium_chain_audit_event();
        """,
    )


class Fault(NamedTuple):
    """Something wrong in a chain: where, and what, in words."""

    tenant: str
    sequence: int
    problem: str


class _Event(NamedTuple):
    """An event as the database has it, for its hash."""

    tenant: str
    sequence: int
    previous_hash: str
    hash: str
    values: list[Any]
    detail: str

    @property
    def expected_hash(self) -> str:
        """The hash that this content has."""
        values = [json.dumps(value, ensure_ascii=False) for value in self.values]
        text = f"[{', '.join([*values, self.detail])}]"
        return hashlib.sha256(text.encode()).hexdigest()


_EVENTS = """
SELECT coalesce(tenant_id::text, ''), sequence, previous_hash, hash, id::text, tenant_id::text,
    actor_id::text, to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    action, subject, request_id, host(client_address), detail::text
FROM tenants_auditevent ORDER BY tenant_id, sequence
"""
_HEADS = "SELECT coalesce(tenant_id::text, ''), sequence, hash FROM tenants_audithead"


def find_faults() -> Iterator[Fault]:
    """What is wrong with the chains in the current scope: changed, removed or unchained events.

    `tenant` of a fault is the tenant's id, "" for the platform's own chain.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HEADS)
        heads = {tenant: (sequence, digest) for tenant, sequence, digest in cursor.fetchall()}
    ends: dict[str, tuple[int, str]] = {}
    for event in _events():
        before = ends.get(event.tenant, (0, ""))
        yield from _faults_of(event, before)
        ends[event.tenant] = (event.sequence, event.hash)
    yield from _faults_of_ends(heads, ends)


def _events() -> Iterator[_Event]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_EVENTS)
        for tenant, sequence, previous, digest, *values, detail in cursor:
            yield _Event(tenant, sequence, previous, digest, [sequence, previous, *values], detail)


def _faults_of(event: _Event, before: tuple[int, str]) -> Iterator[Fault]:
    sequence, digest = before
    if event.sequence != sequence + 1:
        missing = f"{sequence + 1} to {event.sequence - 1}"
        yield Fault(event.tenant, event.sequence, f"events {missing} before it are missing")
    elif event.previous_hash != digest:
        yield Fault(event.tenant, event.sequence, "it does not follow the event before it")
    if event.hash != event.expected_hash:
        yield Fault(event.tenant, event.sequence, "its content was changed")


def _faults_of_ends(
    heads: dict[str, tuple[int, str]], ends: dict[str, tuple[int, str]]
) -> Iterator[Fault]:
    for tenant in sorted(heads.keys() | ends.keys()):
        head, end = heads.get(tenant, (0, "")), ends.get(tenant, (0, ""))
        if end[0] < head[0]:
            missing = f"the last {head[0] - end[0]} of {head[0]} events are missing"
            yield Fault(tenant, head[0], missing)
        elif end != head:
            yield Fault(tenant, end[0], "the end of the chain is not the one that was noted")
