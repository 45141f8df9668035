"""The hash chain of the audit log: a migration operation that makes it, and its verification.

The hash of an event is the SHA-256, in hex, of this JSON array as PostgreSQL writes it (`", "`
between elements, jsonb's own order of keys): sequence, previous hash, id, tenant id, actor id, time
(UTC, microseconds), action, subject, request id, client address, detail. Verification computes it
here, without the database's function.
"""

import hashlib
import json
import uuid
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
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
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
    """Something wrong in a chain: at which place, and what, in words."""

    sequence: int
    problem: str


class Verification:
    """One reading of a chain from its first event to its last, in the current scope.

    `tenant` None is the platform's chain. `events` counts what has been read so far. Others may go
    on writing meanwhile: what comes after the beginning is left out.
    """

    def __init__(self, tenant: uuid.UUID | None) -> None:
        self.events = 0
        self._where = "tenant_id IS NULL" if tenant is None else "tenant_id = %s"
        self._parameters = [] if tenant is None else [tenant]

    def find_faults(self) -> Iterator[Fault]:
        """What is wrong: events that were changed, removed, added or put elsewhere."""
        # In this order: an event that is there has moved the head already, so an honest chain is
        # never longer than the head that is read after it.
        last = self._read_last()
        head = self._read_head()
        end = (0, "")
        for event in self._read_events(upto=max(last, head[0])):
            self.events += 1
            yield from _faults_of(event, end)
            end = (event.sequence, event.hash)
        yield from _faults_of_end(end, head)

    def _read_last(self) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT coalesce(max(sequence), 0) FROM tenants_auditevent WHERE {self._where}",  # noqa: S608  # ours
                self._parameters,
            )
            return int(cursor.fetchone()[0])

    def _read_head(self) -> tuple[int, str]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT sequence, hash FROM tenants_audithead WHERE {self._where}",  # noqa: S608  # as above
                self._parameters,
            )
            return cursor.fetchone() or (0, "")

    def _read_events(self, *, upto: int) -> Iterator["_Event"]:
        query = f"{_EVENTS} WHERE {self._where} AND sequence <= %s ORDER BY sequence"
        with connection.chunked_cursor() as cursor:
            cursor.execute(query, [*self._parameters, upto])
            while rows := cursor.fetchmany(_CHUNK):
                for sequence, previous, digest, *values, detail in rows:
                    content = [sequence, previous, *values]
                    yield _Event(sequence, previous, digest, content, detail)


def find_missing_guards() -> list[str]:
    """The triggers on the audit log that are not in force: without them it can be written anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'tenants_auditevent'::regclass"
            " AND tgenabled IN ('O', 'A')"
        )
        in_force = {name for (name,) in cursor.fetchall()}
    return sorted(_GUARDS - in_force)


_GUARDS = {"tenants_auditevent_append_only", "tenants_auditevent_chained"}
_CHUNK = 2000
_EVENTS = """
SELECT sequence, previous_hash, hash, id::text, tenant_id::text, actor_id::text,
    to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    action, subject, request_id, host(client_address), detail::text
FROM tenants_auditevent
"""


class _Event(NamedTuple):
    """An event as the database has it, for its hash."""

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


def _faults_of(event: _Event, before: tuple[int, str]) -> Iterator[Fault]:
    sequence, digest = before
    if event.sequence <= sequence:
        yield Fault(event.sequence, "it has no place in the chain")
    elif event.sequence > sequence + 1:
        yield Fault(event.sequence, f"{_range(sequence + 1, event.sequence - 1)} before it")
    elif event.previous_hash != digest:
        yield Fault(event.sequence, "it does not follow the event before it")
    if event.hash != event.expected_hash:
        yield Fault(event.sequence, "its content was changed")


def _faults_of_end(end: tuple[int, str], head: tuple[int, str]) -> Iterator[Fault]:
    if end[0] < head[0]:
        yield Fault(head[0], f"{_range(end[0] + 1, head[0])} at the end")
    elif end[0] > head[0]:
        yield Fault(end[0], f"the chain was noted to end with event {head[0]}")
    elif end != head:
        yield Fault(end[0], "it is not the end of the chain that was noted")


def _range(first: int, last: int) -> str:
    return f"event {first} is missing" if first == last else f"events {first} to {last} are missing"
