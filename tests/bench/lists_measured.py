"""Measures the first page of the list, and the last screen of a long conversation.

Run by tests/bench/lists.py: `python -m tests.bench.lists_measured SUPERUSER PORTAL`.
"""

import os
import sys
import time
from typing import Any

import django
import psycopg

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

from django.db.models import Model  # after django.setup()
from playwright.sync_api import Page, expect, sync_playwright

from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Message
from chat.services import read_turns
from portal.embedded.browser import find_chromium
from tenants.models import Membership
from tenants.scope import platform_scope, tenant_scope
from tenants.services import create_member, create_tenant
from tests.bench.crowd import UNCHECKED, fill
from tests.bench.explaining import Plan, plans_of
from tests.bench.fetching import Browser, session_of

LENGTHS = (10, 1_000, 20_000)
OTHERS, OF_OTHERS = 200, 200  # people, and conversations of each
LONG = 5_000
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
HEAD = (
    "| conversations of the member | at the client p50 / p95 ms | execution ms | found by |\n"
    "| --- | --- | --- | --- |"
)
# Headings, a list, emphasis and code, as answers have them.
ANSWER = (
    "'## Part ' || n || E'\\n\\nSome **words** about it, and `code`:\\n\\n- one\\n- two\\n\\n"
    "```python\\nfor part in parts:\\n    print(part)\\n```\\n\\n'"
    " || repeat('More words follow. ', 20)"
)
SEEN = "[data-turn]:last-child pre code"  # of the last answer, formatted


# ── What is there ──────────────────────────────────────────────────────────────────────────────
def found_people() -> list[Membership]:
    """A tenant with one member for each length, with one for the long conversation, and others."""
    with platform_scope("a new database for the benchmark"):
        tenant = create_tenant(slug="lists", name="Lists")
        deployment = Deployment.objects.create(
            name="bench", label="Bench", kind="openai", model="bench", context_window=128_000
        )
        DeploymentGrant.objects.create(tenant=tenant, deployment=deployment, is_default=True)
        return [
            create_member(tenant=tenant, email=f"person{number}@lists.example", role="member")
            for number in range(len(LENGTHS) + 1)
        ]


def seed(superuser: "psycopg.Connection[Any]", members: list[Membership]) -> None:
    """Their conversations among those of others, mixed on disk as they would have come."""
    *listed, talker = members
    with superuser.transaction():
        superuser.execute(UNCHECKED)
        others = f"md5('person' || n % {OTHERS})::uuid"
        _have(superuser, talker, OTHERS * OF_OTHERS, owner_id=others)
        for member, length in zip(listed, LENGTHS, strict=True):
            _have(superuser, member, length)
        _have(superuser, talker, 1, head_id=_message(str(LONG)))
        _talk(superuser, talker)
    superuser.execute("VACUUM ANALYZE chat_conversation, chat_message, chat_generation")


def _have(
    superuser: "psycopg.Connection[Any]", member: Membership, count: int, **other: str
) -> None:
    _fill(
        superuser, member, Conversation, count,
        id="gen_random_uuid()", title="'Question about a thing ' || n",
        active_at="now() - n * interval '20 minutes'", **{"owner_id": _of(member.user)} | other,
    )  # fmt: skip


def _talk(superuser: "psycopg.Connection[Any]", member: Membership) -> None:
    conversation = f"(SELECT id FROM chat_conversation WHERE owner_id = {_of(member.user)})"
    _fill(
        superuser, member, Message, LONG,
        id=_message("n"), parent_id=f"CASE WHEN n > 1 THEN {_message('n - 1')} END",
        conversation_id=conversation, role="CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END",
        content=f"CASE n % 2 WHEN 1 THEN 'And part ' || n || '?' ELSE {ANSWER} END",
    )  # fmt: skip
    _fill(
        superuser, member, Generation, LONG // 2,
        id="gen_random_uuid()", conversation_id=conversation, user_id=_of(member.user),
        prompt_id=_message("2 * n - 1"), reply_id=_message("2 * n"), status="'completed'",
        queued_at="now()",
    )  # fmt: skip


def _fill(
    superuser: "psycopg.Connection[Any]",
    member: Membership,
    model: type[Model],
    count: int,
    **expressions: str,
) -> None:
    shared = {
        "tenant_id": _of(member.tenant),
        "deployment_id": "(SELECT id FROM chat_deployment)",
        "request_id": "gen_random_uuid()",
    }
    fill(superuser, model, count, **shared | expressions)


def _of(row: Model) -> str:
    return f"'{row.pk}'::uuid"


def _message(number: str) -> str:
    return f"md5('message' || ({number}))::uuid"


# ── What it takes ──────────────────────────────────────────────────────────────────────────────
def plan_of_list(member: Membership) -> Plan:
    """How the first page of this member is found, at the fastest of some times."""

    def ask() -> None:
        with tenant_scope(member.tenant):
            Conversation.objects.visible_to(member).page()

    return min((plans_of(ask)[0] for _ in range(5)), key=lambda plan: plan.milliseconds)


def measure_lists(portal: str, members: list[Membership]) -> None:
    """The table of the lists, and the plan of the longest."""
    print(HEAD)
    for member, length in zip(members, LENGTHS, strict=False):
        times = Browser(portal, member.user).time("/lists/c/")
        plan = plan_of_list(member)
        found_by = ", ".join(plan.indexes)
        print(f"| {length:,} | {times} | {plan.milliseconds:.2f} | {found_by} |", flush=True)
    print("\n```text", *plan.lines, "```", sep="\n")


def measure_long_conversation(portal: str, member: Membership) -> None:
    """The table of the long conversation, in Chromium and without it."""
    with tenant_scope(member.tenant):
        conversation = Conversation.objects.get(owner=member.user)
        plans = plans_of(lambda: read_turns(conversation))
    path = f"/lists/c/{conversation.pk}/"
    times = Browser(portal, member.user).time(path, rounds=20)
    print(f"\n| a conversation of {LONG:,} messages | ms |\n| --- | --- |")
    print(f"| the page, at the client p50 / p95 | {times} |")
    print(f"| in PostgreSQL | {sum(plan.milliseconds for plan in plans):.1f} |")
    # (Playwright brings an event loop, in which Django would not ask the database.)
    session = {"name": "sessionid", "value": session_of(member.user), "url": portal}
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=OPTIONS)
        context = chromium.new_context(base_url=portal)
        context.add_cookies([session])  # type: ignore[list-item]  # a TypedDict of its own
        for name in ("first visit", "again"):
            page = context.new_page()
            shown, earlier = look(page, path)
            print(f"| Chromium, {name}: last screen formatted | {shown:.0f} |")
            print(f"| Chromium, {name}: earlier turns after scrolling up | {earlier:.0f} |")
            page.close()
        chromium.close()


def look(page: Page, path: str) -> tuple[float, float]:
    """Milliseconds until the end of the conversation is formatted, and until more is above."""
    began = time.perf_counter()
    page.goto(path, wait_until="commit")
    page.locator(SEEN).wait_for()
    shown = 1000 * (time.perf_counter() - began)
    expect(page.locator(SEEN)).to_be_in_viewport()
    page.wait_for_load_state("networkidle")
    count = page.locator("[data-turn]").count()
    began = time.perf_counter()
    page.evaluate("document.querySelector('[data-scroller]').scrollTop = 0")
    page.locator("[data-turn]").nth(count).wait_for(state="attached")
    return shown, 1000 * (time.perf_counter() - began)


def main(superuser: str, portal: str) -> None:
    members = found_people()
    with psycopg.connect(superuser, autocommit=True) as connection:
        seed(connection, members)
    measure_lists(portal, members)
    measure_long_conversation(portal, members[-1])


if __name__ == "__main__":
    main(*sys.argv[1:])
