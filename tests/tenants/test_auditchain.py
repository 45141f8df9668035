"""The chain of the audit log: whatever is done to it behind the portal's back is found."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction

from portal.databases import Connection
from tenants.auditchain import Verification, find_missing_guards
from tenants.models import AuditEvent, AuditHead, Tenant, User
from tenants.scope import platform_scope, tenant_scope
from tenants.services import create_tenant, record
from tests import servers

APPLICATION_MAY_NOT = [
    "UPDATE tenants_auditevent SET action = 'x'",
    "DELETE FROM tenants_auditevent",
    "TRUNCATE tenants_auditevent",
    "INSERT INTO tenants_audithead (tenant_id, sequence, hash) VALUES (NULL, 99, '')",
    "UPDATE tenants_audithead SET hash = ''",
    "DELETE FROM tenants_audithead",
    "ALTER TABLE tenants_auditevent DISABLE TRIGGER ALL",
]


def problems(tenant: Tenant | None) -> list[tuple[int, str]]:
    """What is found wrong in this chain."""
    with platform_scope("test"):
        verification = Verification(tenant.pk if tenant else None)
        return [(fault.sequence, fault.problem) for fault in verification.find_faults()]


@pytest.fixture
def chain(transactional_db: None) -> Tenant:
    """A tenant with a chain of five events, beside one of the platform's."""
    tenant = create_tenant(slug="acme", name="Acme")
    for number in range(2, 6):
        record("thing.done", subject=tenant, tenant=tenant, number=number, text="Zoë \u2028 \x7f\\")
    record("platform.done", subject=tenant)
    return tenant


@pytest.fixture
def owner(chain: Tenant) -> Iterator[Connection]:
    """The owner of the tables, who has switched the audit log's triggers off."""
    with servers.owner_connection() as owner:
        owner.execute("SET atrium.platform = 'on'")
        owner.execute("ALTER TABLE tenants_auditevent DISABLE TRIGGER USER")
        yield owner
        owner.execute("ALTER TABLE tenants_auditevent ENABLE TRIGGER USER")


# ── An honest chain ────────────────────────────────────────────────────────────────────────────
def test_an_untouched_chain_is_complete(chain: Tenant) -> None:
    verification = Verification(chain.pk)

    assert list(verification.find_faults()) == []
    assert verification.events == 5
    assert problems(None) == []
    assert find_missing_guards() == []


@pytest.mark.parametrize(
    "detail",
    [
        {"é": "ü", "b": 1, "aa": [1.5, None, True, {"z": 0, "y": '\n\t"\\/'}]},
        {"text": "\u0001\u001f\u2028😀", "number": 12345678901234567890, "small": 0.1},
        {},
    ],
)
def test_any_detail_can_be_verified(chain: Tenant, detail: dict[str, object]) -> None:
    AuditEvent.objects.create(tenant=chain, action="thing.done", detail=detail)

    assert problems(chain) == []


def test_events_and_numbers_that_the_application_makes_up_are_replaced(chain: Tenant) -> None:
    event = AuditEvent.objects.create(
        tenant=chain, action="thing.done", sequence=77, previous_hash="x", hash="y"
    )

    event.refresh_from_db()
    assert event.sequence == 6
    assert event.hash == AuditHead.objects.get(tenant=chain).hash
    assert problems(chain) == []


def write(tenant: Tenant | None, count: int) -> None:
    """Events of this tenant or the platform, each in a transaction of its own."""
    try:
        for number in range(count):
            with tenant_scope(tenant) if tenant else platform_scope("test"):
                record("thing.done", tenant=tenant, number=number)
    finally:
        connection.close()


def test_events_written_at_the_same_time_make_unbroken_chains(chain: Tenant) -> None:
    other = create_tenant(slug="globex", name="Globex")
    writers = [threading.Thread(target=write, args=[t, 20]) for t in (chain, other, None) * 2]

    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)

    assert [problems(tenant) for tenant in (chain, other, None)] == [[], [], []]
    ends = {head.tenant: head.sequence for head in AuditHead.objects.select_related("tenant")}
    assert ends == {chain: 45, other: 41, None: 41}


def test_a_chain_that_grows_while_it_is_verified_is_complete(chain: Tenant) -> None:
    writer = threading.Thread(target=write, args=[chain, 200])
    found = []

    writer.start()
    while writer.is_alive():
        found += problems(chain)
    writer.join(timeout=60)

    assert found == problems(chain) == []
    assert AuditHead.objects.get(tenant=chain).sequence == 205


def test_an_event_that_was_rolled_back_leaves_no_gap(chain: Tenant) -> None:
    with tenant_scope(chain):
        record("thing.done", tenant=chain)
        transaction.set_rollback(True)

    record("thing.done", tenant=chain)
    assert problems(chain) == []


# ── Tampering ──────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("detail", """'{"number": 33}'"""),
        ("action", "'thing.undone'"),
        ("subject", "'other'"),
        ("created_at", "created_at - interval '1 microsecond'"),
        ("client_address", "'203.0.113.9'"),
        ("request_id", "'forged'"),
        ("id", "gen_random_uuid()"),
    ],
)
def test_a_changed_event_is_found(
    chain: Tenant, owner: Connection, column: str, value: str
) -> None:
    owner.execute(f"UPDATE tenants_auditevent SET {column} = {value} WHERE sequence = 3".encode())

    assert problems(chain) == [(3, "its content was changed")]


def test_another_actor_is_found(chain: Tenant, owner: Connection) -> None:
    user = User.objects.create_user("eve@example.org")

    owner.execute("UPDATE tenants_auditevent SET actor_id = %s WHERE sequence = 3", [user.pk])

    assert problems(chain) == [(3, "its content was changed")]


def test_a_removed_event_is_found(chain: Tenant, owner: Connection) -> None:
    owner.execute("DELETE FROM tenants_auditevent WHERE sequence = 3")

    assert problems(chain) == [(4, "event 3 is missing before it")]


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("sequence = 5", (5, "event 5 is missing at the end")),
        ("sequence > 2", (5, "events 3 to 5 are missing at the end")),
        ("tenant_id IS NOT NULL", (5, "events 1 to 5 are missing at the end")),
    ],
)
def test_a_removed_end_is_found(
    chain: Tenant, owner: Connection, condition: str, problem: tuple[int, str]
) -> None:
    owner.execute(f"DELETE FROM tenants_auditevent WHERE {condition}".encode())

    assert problems(chain) == [problem]


def test_a_removed_beginning_is_found(chain: Tenant, owner: Connection) -> None:
    owner.execute("DELETE FROM tenants_auditevent WHERE sequence < 3")

    assert problems(chain) == [(3, "events 1 to 2 are missing before it")]


@pytest.mark.parametrize("sequence", [0, -1, 6, 40])
def test_an_event_that_was_slipped_in_is_found(
    chain: Tenant, owner: Connection, sequence: int
) -> None:
    forge(owner, chain, sequence)

    assert sequence in [place for place, _ in problems(chain)]


def forge(owner: Connection, tenant: Tenant, sequence: int) -> None:
    """An event with a hash that fits its content and, as far as there is one, the event before."""
    columns = "id, tenant_id, created_at, action, subject, request_id, detail"
    owner.execute(
        f"""INSERT INTO tenants_auditevent ({columns}, sequence, previous_hash, hash)
        SELECT gen_random_uuid(), %s, now(), 'thing.forged', '', '', '{{}}', %s,
            coalesce((SELECT hash FROM tenants_auditevent
                WHERE tenant_id = %s AND sequence = %s), ''), ''""".encode(),
        [tenant.pk, sequence, tenant.pk, sequence - 1],
    )
    array = (
        "jsonb_build_array(sequence, previous_hash, id, tenant_id, actor_id,"
        " to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),"
        " action, subject, request_id, host(client_address), detail)::text"
    )
    owner.execute(
        f"""UPDATE tenants_auditevent SET hash = encode(sha256(convert_to({array}, 'UTF8')), 'hex')
        WHERE action = 'thing.forged'""".encode()
    )


def test_a_forged_event_at_the_end_has_the_right_hash_and_is_found_all_the_same(
    chain: Tenant, owner: Connection
) -> None:
    forge(owner, chain, 6)

    assert problems(chain) == [(6, "the chain was noted to end with event 5")]


def test_a_forged_event_in_the_place_of_another_is_found(chain: Tenant, owner: Connection) -> None:
    owner.execute("DELETE FROM tenants_auditevent WHERE sequence = 3")
    forge(owner, chain, 3)

    assert problems(chain) == [(4, "it does not follow the event before it")]


def test_two_events_that_changed_places_are_found(chain: Tenant, owner: Connection) -> None:
    for old, new in ((2, 99), (4, 2), (99, 4)):
        owner.execute(
            f"UPDATE tenants_auditevent SET sequence = {new} WHERE sequence = {old}".encode()
        )

    assert {place for place, _ in problems(chain)} >= {2, 4}


def test_an_event_that_was_moved_to_another_chain_is_found(
    chain: Tenant, owner: Connection
) -> None:
    other = Tenant.objects.create(slug="globex", name="Globex")

    owner.execute("UPDATE tenants_auditevent SET tenant_id = %s WHERE sequence = 5", [other.pk])

    assert problems(chain) == [(5, "event 5 is missing at the end")]
    assert (5, "its content was changed") in problems(other)


@pytest.mark.parametrize("change", ["hash = ''", "sequence = sequence - 1", "sequence = 8"])
def test_a_changed_head_is_found(chain: Tenant, owner: Connection, change: str) -> None:
    owner.execute(f"UPDATE tenants_audithead SET {change} WHERE tenant_id IS NOT NULL".encode())

    assert problems(chain)


def test_a_removed_head_is_found(chain: Tenant, owner: Connection) -> None:
    owner.execute("DELETE FROM tenants_audithead")

    assert problems(chain) == [(5, "the chain was noted to end with event 0")]
    assert problems(None) == [(1, "the chain was noted to end with event 0")]


def test_switched_off_triggers_are_found(owner: Connection) -> None:
    assert find_missing_guards() == [
        "tenants_auditevent_append_only",
        "tenants_auditevent_chained",
    ]


# ── The application's role ─────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("statement", APPLICATION_MAY_NOT)
def test_the_application_cannot_rewrite_the_log(chain: Tenant, statement: str) -> None:
    with servers.superuser_connection() as server, server.transaction(force_rollback=True):
        server.execute("SET LOCAL atrium.platform = 'on'")
        server.execute("SET LOCAL ROLE atrium")

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.execute(statement.encode())
