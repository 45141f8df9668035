"""Measures search among a million messages of one tenant.

Run by tests/bench/searching.py: `python -m tests.bench.searching_measured SUPERUSER PORTAL`.
"""

import os
import sys
import time
from typing import Any
from urllib.parse import quote

import django
import psycopg

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

from chat.models import Conversation, Deployment, DeploymentGrant, Message  # after django.setup()
from chat.services import find_conversations
from tenants.models import Membership, Tenant
from tenants.scope import platform_scope, tenant_scope
from tenants.services import create_member, create_tenant
from tests.bench.crowd import UNCHECKED, fill
from tests.bench.explaining import Plan, plans_of
from tests.bench.fetching import Browser

MESSAGES, TO_A_CONVERSATION = 1_000_000, 20
CONVERSATIONS = MESSAGES // TO_A_CONVERSATION
# Members with so many messages; the others share the rest.
LENGTHS = (1_000, 10_000, 100_000)
OTHERS = 100
BODIES, VOCABULARY = 2_000, 20_000
# A word of one message, one of a tenth of them, one of nearly all, and what begins many.
QUERIES = {"rare": "only{}", "sometimes": "often3", "common": "each", "begun": "ea", "no": "zzz"}
HEAD = (
    "| messages of the member | word | conversations on the page | at the client p50 / p95 ms |"
    " execution ms |\n| --- | --- | --- | --- | --- |"
)
# Words by rank: the first is in nearly every text, the last in hardly any.
_TEXT = f"""
SELECT number, 'each often' || number % 10 || ' ' || string_agg(
    substr(md5((({VOCABULARY} ^ random())::int)::text), 1, 3 + word % 7), ' ') AS content
FROM generate_series(0, {BODIES - 1}) AS number,
    generate_series(1, 10 + (number * 37) % 180) AS word
GROUP BY number
"""


def found_people() -> list[Membership]:
    """A tenant with one member for each length."""
    with platform_scope("a new database for the benchmark"):
        tenant = create_tenant(slug="search", name="Search")
        deployment = Deployment.objects.create(
            name="bench", label="Bench", kind="openai", model="bench", context_window=128_000
        )
        DeploymentGrant.objects.create(tenant=tenant, deployment=deployment, is_default=True)
        return [
            create_member(tenant=tenant, email=f"person{length}@search.example", role="member")
            for length in LENGTHS
        ]


def seed(superuser: "psycopg.Connection[Any]", members: list[Membership]) -> None:
    """A million messages, mixed on disk as they would have come, and the words of each.

    The words are made once for each of some thousand texts, which is what takes long.
    """
    with superuser.transaction():
        superuser.execute(UNCHECKED)
        superuser.execute(
            f"CREATE TABLE body AS SELECT number, content, array_to_tsvector(atrium_words(content))"
            f" AS words FROM ({_TEXT}) AS made".encode()
        )
        superuser.execute("ALTER TABLE body ADD PRIMARY KEY (number)")
        tenant = f"'{members[0].tenant_id}'::uuid"
        fill(
            superuser, Conversation, CONVERSATIONS,
            id=_chat("n"), tenant_id=tenant, owner_id=_owner("n", members),
            title="'Question ' || n", deployment_id="(SELECT id FROM chat_deployment)",
            request_id="gen_random_uuid()", active_at="now() - n * interval '1 minute'",
        )  # fmt: skip
        fill(
            superuser, Message, MESSAGES,
            id=_message("n"), tenant_id=tenant, conversation_id=_chat(_mixed("n")),
            role="'user'", content=f"{_body('content')} || ' only' || n",
        )  # fmt: skip
        superuser.execute(
            "INSERT INTO chat_searchentry (message_id, tenant_id, owner_id, conversation_id, words)"
            f" SELECT {_message('n')}, {tenant}, {_owner(_mixed('n'), members)},"
            f" {_chat(_mixed('n'))}, {_body('words')} || array_to_tsvector(ARRAY['only' || n])"
            f" FROM generate_series(1, {MESSAGES}) AS n".encode()
        )
    superuser.execute("VACUUM ANALYZE chat_conversation, chat_message, chat_searchentry")


def _body(column: str) -> str:
    return f"(SELECT {column} FROM body WHERE number = (n * 31) % {BODIES})"


def _message(number: str) -> str:
    return f"md5('message' || ({number}))::uuid"


def _chat(number: str) -> str:
    return f"md5('chat' || ({number}))::uuid"


def _mixed(number: str) -> str:
    """The number of the conversation of a message: neighbours are of different people."""
    return f"1 + ({number}::bigint * 7919) % {CONVERSATIONS}"


def _owner(conversation: str, members: list[Membership]) -> str:
    """Whose conversation it is: the first ones are the measured members', by their lengths."""
    cases, last = "", 0
    for member, length in zip(members, LENGTHS, strict=True):
        last += length // TO_A_CONVERSATION
        cases += f" WHEN {conversation} <= {last} THEN '{member.user_id}'::uuid"
    return f"CASE{cases} ELSE md5('other' || ({conversation}) % {OTHERS})::uuid END"


def plan_of_search(member: Membership, query: str) -> Plan:
    """How the list of what is found was made, at the fastest of some times."""

    def ask() -> None:
        with tenant_scope(member.tenant):
            find_conversations(actor=member, query=query)

    return min((plans_of(ask)[0] for _ in range(3)), key=lambda plan: plan.milliseconds)


def measure_searches(portal: str, members: list[Membership]) -> list[Plan]:
    """The table of the searches; the plan of each member's for a rare word."""
    print(HEAD)
    plans = []
    for member, length in zip(members, LENGTHS, strict=True):
        browser = Browser(portal, member.user)
        for name, pattern in QUERIES.items():
            query = pattern.format(_a_message_of(member))
            path = f"/search/c/?q={quote(query)}"
            count = browser.fetch(path).count("data-row ")
            times, plan = browser.time(path, rounds=10), plan_of_search(member, query)
            plans += [plan] if name == "rare" else []
            print(
                f"| {length:,} | {name} | {count} | {times} | {plan.milliseconds:.1f} |", flush=True
            )
    return plans


def _a_message_of(member: Membership) -> str:
    with tenant_scope(member.tenant):
        message = Message.objects.filter(conversation__owner=member.user).first()
    assert message is not None
    return message.content.rpartition("only")[2]


def measure_entries(superuser: "psycopg.Connection[Any]", tenant: Tenant) -> None:
    """What entries take on disk, and how long one takes to be written with its message."""
    row = superuser.execute(
        "SELECT count(*), pg_size_pretty(sum(pg_table_size(relid))),"
        " pg_size_pretty(sum(pg_indexes_size(relid))),"
        " pg_size_pretty(pg_table_size('chat_message'))"
        " FROM pg_partition_tree('chat_searchentry') WHERE isleaf"
    ).fetchone()
    print(
        "\n| parts | entries | their index | the messages themselves |\n| --- | --- | --- | --- |"
    )
    print(f"| {' | '.join(map(str, row or ()))} |")
    micros = {name: _insert_micros(superuser, tenant, name) for name in ("replica", "origin")}
    print(f"\nA message takes {micros['replica']:.0f} µs to store without references and triggers,"
          f" {micros['origin']:.0f} µs with them and its entry.")  # fmt: skip


def _insert_micros(superuser: "psycopg.Connection[Any]", tenant: Tenant, role: str) -> float:
    with superuser.transaction(force_rollback=True):
        superuser.execute(f"SET LOCAL session_replication_role = {role}".encode())
        superuser.execute("SELECT set_config('atrium.platform', 'on', true)")
        began = time.perf_counter()
        superuser.execute(
            "INSERT INTO chat_message (id, tenant_id, conversation_id, role, content, created_at)"
            " SELECT gen_random_uuid(), tenant_id, conversation_id, role, content, created_at"
            " FROM chat_message WHERE tenant_id = %s LIMIT 5000",
            [tenant.pk],
        )
        return 1e6 * (time.perf_counter() - began) / 5000


def main(address: str, portal: str) -> None:
    members = found_people()
    with psycopg.connect(address, autocommit=True) as superuser:
        began = time.perf_counter()
        seed(superuser, members)
        print(f"{MESSAGES:,} messages of one tenant, made in {time.perf_counter() - began:.0f} s\n")
        plans = measure_searches(portal, members)
        measure_entries(superuser, members[0].tenant)
    for length, plan in zip(LENGTHS, plans, strict=True):
        print(f"\n{length:,} messages of the member:\n\n```text", *plan.lines, "```", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
