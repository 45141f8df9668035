"""Two parts change the same conversation at the same moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from chat import services
from chat.generation.ending import Outcome, finish
from chat.models import Conversation, Generation, Message
from tenants.models import Membership
from tests.chat.answers import bills
from tests.conftest import Queue
from tests.stack import wait_until

InThread = Callable[[Callable[[], object]], "Future[object]"]


@pytest.fixture
def running(transactional_db: None, member: Membership, queue: Queue) -> Generation:
    """An answer that some worker writes, and of which some text is stored."""
    return queue(
        member,
        status=Generation.Status.RUNNING,
        attempt=1,
        heartbeat_at=timezone.now(),
        partial_text="One two three",
    )


@pytest.fixture
def in_thread() -> Iterator[InThread]:
    """Runs a function beside the test, on a database connection of its own."""
    with ThreadPoolExecutor(1) as threads:

        def run(function: Callable[[], object]) -> object:
            try:
                return function()
            finally:
                connection.close()

        yield lambda function: threads.submit(run, function)


def wait_until_somebody_is_locked_out() -> None:
    """Return once another connection waits for a lock."""

    def is_waiting() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
            return bool(cursor.fetchone()[0])

    wait_until(is_waiting, what="a lock that somebody waits for")


def test_an_answer_that_ends_while_its_conversation_is_deleted_is_billed_once(
    running: Generation, member: Membership, in_thread: InThread
) -> None:
    outcome = Outcome(Generation.Status.COMPLETED, text="One two three four")
    with transaction.atomic():
        Conversation.objects.select_for_update().get()
        finished = in_thread(lambda: finish(running, outcome))
        wait_until_somebody_is_locked_out()
        services.delete_conversation(actor=member, conversation=running.conversation)

    assert finished.result(timeout=30) is None
    assert not Conversation.objects.exists()
    assert bills(running) == ["estimate"]


def test_a_heartbeat_while_its_conversation_is_deleted_loses_no_bill(
    running: Generation, member: Membership, in_thread: InThread
) -> None:
    with transaction.atomic():
        Generation.objects.update(heartbeat_at=timezone.now(), partial_text="One two three four")
        deleted = in_thread(
            lambda: services.delete_conversation(actor=member, conversation=running.conversation)
        )
        wait_until_somebody_is_locked_out()

    deleted.result(timeout=30)
    assert not Conversation.objects.exists()
    assert bills(running) == ["estimate"]


def test_a_worker_that_was_given_up_stores_nothing(running: Generation) -> None:
    Generation.objects.update(attempt=2)

    is_stored = finish(running, Outcome(Generation.Status.COMPLETED, text="Too late"))

    assert not is_stored
    assert not Message.objects.filter(role="assistant").exists()
    assert bills(running) == []


def test_two_requests_that_settle_a_lost_answer_bill_it_once(
    running: Generation, in_thread: InThread
) -> None:
    Generation.objects.update(heartbeat_at=timezone.now() - timedelta(hours=1))
    first, second = Generation.objects.get(), Generation.objects.get()
    with transaction.atomic():
        services.settled(first)
        settled = in_thread(lambda: services.settled(second))
        wait_until_somebody_is_locked_out()

    settled.result(timeout=30)
    assert (first.status, bills(running)) == ("interrupted", ["estimate"])
