"""With the policies, PostgreSQL still finds rows by their indexes: asked of many tenants' rows."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import DjangoDbBlocker

from chat.models import Message
from tenants.scope import tenant_scope
from tests import servers
from tests.bench import questions
from tests.bench.crowd import Crowd, gather
from tests.bench.explaining import Plan, plans_of
from tests.client import without_scope
from tests.emptying import empty_tables

pytestmark = pytest.mark.django_db

CROWD = Crowd(
    tenants=50,
    people=1_000,
    conversations=6_000,
    messages=60_000,
    generations=12_000,
    queued=100,
    running=40,
)
# What grows without end, and may not be read from one end to the other.
LARGE = {"chat_conversation", "chat_message", "chat_generation", "chat_usageentry"}


@pytest.fixture(scope="module", autouse=True)
def crowd(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Fifty tenants, committed and counted by the planner."""
    with django_db_blocker.unblock(), servers.superuser_connection() as superuser:
        gather(superuser, CROWD)
        yield
        empty_tables()


def plans(work: Callable[[], object]) -> list[Plan]:
    """How each statement of this is carried out by the application's role, in its scopes."""
    with without_scope():
        return plans_of(work)


@pytest.mark.parametrize(
    ("work", "indexes"),
    [
        (questions.list_conversations, {"conversation_by_recency"}),
        (questions.read_conversation, {"chat_generation_reply_id_key"}),
        (questions.claim, {"generation_waiting", "generation_running"}),
    ],
)
def test_what_is_asked_all_the_time_is_found_by_index(
    work: Callable[[], object], indexes: set[str]
) -> None:
    found = plans(work)

    assert indexes <= {index for plan in found for index in plan.indexes}
    assert not LARGE & {table for plan in found for table in plan.read_whole}


def test_the_list_is_one_scan_of_its_index() -> None:
    (plan,) = plans(questions.list_conversations)

    assert plan.indexes == {"conversation_by_recency"}
    assert "Sort" not in "\n".join(plan.lines)  # rows come in the order of the list


def test_a_question_without_an_index_would_be_noticed() -> None:
    def search() -> object:
        with tenant_scope(questions.TENANT):
            return list(Message.objects.filter(content__contains="nowhere"))

    (plan,) = plans(search)

    assert plan.read_whole == {"chat_message"}
