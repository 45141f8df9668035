"""Search by titles and by what was said: whose messages are found, by which words."""

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from chat import services
from chat.models import Conversation, Deployment, Message, SearchEntry
from chat.services.searching import PAGE_SIZE, snippet
from tenants.models import Membership
from tenants.scope import tenant_scope
from tests.client import SCOPE_STATEMENTS


@pytest.fixture
def say(deployment: Deployment) -> Any:
    """Gives a member a conversation in which these texts were said, from the oldest to the last."""

    def say(member: Membership, *texts: str, title: str = "Talk") -> Conversation:
        conversation = Conversation.objects.create(
            tenant=member.tenant, owner=member.user, title=title, deployment=deployment,
            request_id=uuid.uuid4(), active_at=timezone.now(),
        )  # fmt: skip
        parent = None
        for number, text in enumerate(texts):
            parent = conversation.messages.create(
                tenant=member.tenant, parent=parent, content=text,
                role="assistant" if number % 2 else "user",
            )  # fmt: skip
        Conversation.objects.filter(pk=conversation.pk).update(head=parent)
        return conversation

    return say


def found(member: Membership, query: str) -> list[Conversation]:
    """What this member finds."""
    return services.find_conversations(actor=member, query=query).page.rows


def shown(member: Membership, query: str) -> str:
    """The snippet of the first conversation found, with its hits in brackets."""
    result = services.find_conversations(actor=member, query=query)
    pieces = result.snippets[result.page.rows[0].pk]
    return "".join(f"[{piece.text}]" if piece.is_hit else piece.text for piece in pieces)


# ── Whose ──────────────────────────────────────────────────────────────────────────────────────
def test_only_the_members_own_conversations_are_found(
    member: Membership, colleague: Membership, outsider: Membership, say: Any
) -> None:
    mine = say(member, "The heron stood in the reeds")
    say(colleague, "The heron is a secret of mine")
    say(outsider, "Herons belong to another tenant")

    assert found(member, "heron") == [mine]


def test_the_same_person_finds_in_each_tenant_what_was_said_there(
    member: Membership, outsider: Membership, say: Any
) -> None:
    elsewhere = Membership.objects.create(tenant=outsider.tenant, user=member.user)
    here, there = say(member, "A heron here"), say(elsewhere, "A heron there")

    assert found(member, "heron") == [here]
    assert found(elsewhere, "heron") == [there]


def test_the_database_itself_shows_no_entry_outside_the_scope(
    outsider: Membership, member: Membership, say: Any
) -> None:
    say(member, "heron")
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('atrium.platform', '', true)")

    with tenant_scope(outsider.tenant):
        assert not SearchEntry.objects.exists()
    with tenant_scope(member.tenant):
        assert SearchEntry.objects.count() == 1


def test_the_parts_of_the_table_cannot_be_asked_past_its_policy(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE has_table_privilege(oid,"
            " 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')),"
            " bool_or(has_schema_privilege(relnamespace, 'USAGE, CREATE'))"
            " FROM pg_class WHERE relnamespace = 'atrium_parts'::regnamespace AND relkind = 'r'"
        )

        assert cursor.fetchone() == (32, 0, False)


def test_what_is_deleted_is_found_no_longer(member: Membership, say: Any) -> None:
    gone, kept = say(member, "heron one"), say(member, "heron two")

    services.delete_conversation(actor=member, conversation=gone)

    assert found(member, "heron") == [kept]
    assert {entry.conversation_id for entry in SearchEntry.objects.all()} == {kept.pk}


def test_a_conversation_that_gets_another_owner_is_found_by_that_one(
    member: Membership, colleague: Membership, say: Any
) -> None:
    conversation = say(member, "heron")

    Conversation.objects.filter(pk=conversation.pk).update(owner=colleague.user)

    assert found(member, "heron") == []
    assert found(colleague, "heron") == [conversation]


# ── By which words ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The invoices are late", "invoice"),
        ("The invoices are late", "LATE inv"),
        ("Crème brûlée for two", "creme brulee"),
        ("Creme brulee for two", "Crème Brûlée"),
        ("call get_user_name() now", "user_name"),
        ("see https://example.org/annual-report.pdf", "annual report"),
        ("Привет, Ёлка и Звёзды", "звезды"),
        ("東京都庁に行きました。", "都庁"),
        ("東京都庁に行きました。", "京"),
        ("私はAI技術が好きです", "AI技術"),
        ("한국어 검색 시험", "검색"),
        ("สวัสดีครับ ผมชื่อ", "ดีครับ"),
        ("हिन्दी में खोज", "हिन्दी"),
        ("A “quoted” word—twice", "quoted twice"),
        ("half ﬁnal", "final"),
        ("party 🎉 tonight", "🎉"),
    ],
)
def test_a_message_is_found_by_the_beginnings_of_its_words(
    member: Membership, say: Any, text: str, query: str
) -> None:
    conversation = say(member, text)
    say(member, "Something else")

    assert found(member, query) == [conversation]


@pytest.mark.parametrize("query", ["voices", "invoices early", "invoicesx", "京東"])
def test_what_no_message_has_is_not_found(member: Membership, say: Any, query: str) -> None:
    say(member, "The invoices are late, 東京 is far", "They came early? No.")

    assert found(member, query) == []


def test_titles_are_found_by_any_part_and_by_all_words(member: Membership, say: Any) -> None:
    conversation = say(member, "x", title="Quarterly figures")
    say(member, "x", title="Yearly figures")

    assert found(member, "gures arter") == [conversation]


def test_titles_and_messages_come_in_one_list_by_recency(member: Membership, say: Any) -> None:
    said = say(member, "About the heron")
    titled = say(member, "Nothing", title="The heron")

    assert found(member, "heron") == [titled, said]


@pytest.mark.parametrize(
    "query",
    ["'", '"', ":*", "a:*", "&", "!", "(", "a & !b | (c", "<->", "\\", "%", "_", "\0",
     "\ud7ff", "\u0301", "a" * 10_000, "東" * 10_000, " ".join("abcdefgh" * 50),
     "'; DROP TABLE x", "''':*"],
)  # fmt: skip
def test_any_text_may_be_searched_for(as_member: Client, say: Any, query: str) -> None:
    say(Membership.objects.get(), "a b c")
    url = reverse("chat:list_conversations", args=["acme"])

    answer = as_member.get(url, {"q": query, "after": query}, headers={"X-Requested-With": "fetch"})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "text",
    ["word " * 200_000, "".join(map(chr, range(0x4E00, 0x9FFF))) * 20, "x" * 1_000_000,
     "\ufdfa" * 100_000, " ".join(f"{n:x}" for n in range(100_000)),
     "\u0301" * 1000, "'\\ :* & | !"],
)  # fmt: skip
def test_a_message_of_any_length_is_stored(member: Membership, say: Any, text: str) -> None:
    conversation = say(member, text)

    assert SearchEntry.objects.get(conversation=conversation)


def test_words_are_those_of_the_first_hundred_thousand_characters(
    member: Membership, say: Any
) -> None:
    say(member, f"heron {'x ' * 50_000} egret")

    assert found(member, "heron")
    assert not found(member, "egret")


# ── What is shown ──────────────────────────────────────────────────────────────────────────────
def test_the_snippet_is_of_the_last_message_with_all_words(member: Membership, say: Any) -> None:
    say(member, "a heron stood", "the heron flew away", "only flew")

    assert shown(member, "heron flew") == "the [heron] [flew] away"


def test_the_snippet_stands_around_its_first_hit() -> None:
    text = f"{'before ' * 50}the Crème brûlée {'after ' * 50}"

    pieces = snippet(text, ["brulee", "creme"])

    assert [piece.text for piece in pieces if piece.is_hit] == ["Crème", "brûlée"]
    assert pieces[0].text == pieces[-1].text == "…"
    assert len("".join(piece.text for piece in pieces)) < 200


def test_hits_that_touch_are_marked_as_one() -> None:
    pieces = snippet("私は東京都庁に", ["東京", "京都", "都庁", "庁"])

    assert [piece.text for piece in pieces if piece.is_hit] == ["東京都庁"]


def test_a_snippet_without_a_hit_is_the_beginning() -> None:
    assert [piece.text for piece in snippet("It begins so", ["nowhere"])] == ["It begins so"]


def test_hits_are_marked_in_the_list_and_nothing_in_a_message_is_html(
    as_member: Client, member: Membership, say: Any
) -> None:
    conversation = say(member, "<img src=x> & a <b>heron</b>")
    url = reverse("chat:list_conversations", args=["acme"])

    rows = as_member.get(url, {"q": "heron"}, headers={"X-Requested-With": "fetch"}).content

    assert b"&lt;img src=x&gt; &amp; a &lt;b&gt;<mark>heron</mark>&lt;/b&gt;" in rows
    assert f"/acme/c/{conversation.pk}/".encode() in rows
    assert b"<b>heron" not in rows


def test_results_go_on_page_by_page(as_member: Client, member: Membership, say: Any) -> None:
    for number in range(PAGE_SIZE + 5):
        say(member, f"heron number {number}")
    url = reverse("chat:list_conversations", args=["acme"])

    first = services.find_conversations(actor=member, query="heron").page
    second = services.find_conversations(actor=member, query="heron", after=first.next_cursor).page
    page = as_member.get(url, {"q": "heron"})

    assert len(first.rows) == PAGE_SIZE
    assert len({*first.rows, *second.rows}) == PAGE_SIZE + 5
    assert second.next_cursor == ""
    assert page.content.count(b"<mark>heron</mark>") == PAGE_SIZE
    assert b"&amp;q=heron" in page.content


def test_a_search_costs_the_same_queries_however_much_is_found(
    as_member: Client, member: Membership, say: Any, django_assert_num_queries: Any
) -> None:
    for number in range(10):
        say(member, f"heron number {number}", "heron again")
    url = reverse("chat:list_conversations", args=["acme"])

    # session, person, membership; words of the query, list, snippets; a scope, which is narrowed
    with django_assert_num_queries(6 + SCOPE_STATEMENTS + 1):
        as_member.get(url, {"q": "heron"}, headers={"X-Requested-With": "fetch"})


def test_every_message_has_its_entry_whoever_wrote_it(conversation: Conversation) -> None:
    prompt = conversation.messages.get()

    entry = SearchEntry.objects.get(message_id=prompt.pk)

    assert (entry.tenant_id, entry.owner_id) == (conversation.tenant_id, conversation.owner_id)
    assert Message.objects.count() == SearchEntry.objects.count()
