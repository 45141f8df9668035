"""How the queue stands: one line a minute for alerts, and what it costs."""

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat import generation, tasks
from chat.generation import queue as queue_figures
from chat.models import Deployment, Generation, Pause
from portal.logging import JsonFormatter
from tenants.models import Membership
from tests.client import without_scope
from tests.conftest import Queue

Status = Generation.Status


@pytest.fixture(autouse=True)
def untold(db: None) -> None:
    """Nothing has been told yet."""
    cache.clear()


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What the queue's logger wrote, as it goes out."""
    records = [record for record in caplog.records if record.name == "chat.queue"]
    return [json.loads(JsonFormatter().format(record)) for record in records]


def test_it_counts_over_all_tenants_what_waits_runs_and_has_failed(
    queue: Queue, member: Membership, outsider: Membership
) -> None:
    now = timezone.now()
    ago = [now - timedelta(seconds=seconds) for seconds in (90, 30, 10)]
    queue(member, queued_at=ago[1])
    queue(outsider, queued_at=ago[0])
    queue(member, queued_at=ago[0] - timedelta(hours=1), not_before=now + timedelta(seconds=5))
    queue(member, status=Status.RUNNING, heartbeat_at=now)
    queue(outsider, status=Status.FAILED, ended_at=ago[2])
    queue(member, status=Status.FAILED, ended_at=ago[0])
    queue(member, status=Status.COMPLETED, ended_at=ago[2])

    with without_scope():
        figures = queue_figures.look(now)

    assert figures == (90.0, 2, 1, 1)


def test_what_a_pause_holds_back_does_not_count_as_waiting(
    queue: Queue, member: Membership, deployment: Deployment
) -> None:
    now = timezone.now()
    queue(member, queued_at=now - timedelta(seconds=30))
    Pause.objects.create(
        deployment=deployment, reason="unavailable", until=now + timedelta(seconds=30)
    )

    assert queue_figures.look(now) == (0.0, 0, 0, 0)


def test_an_empty_queue_is_told_as_such() -> None:
    assert queue_figures.look(timezone.now()) == (0.0, 0, 0, 0)


def test_many_sweeps_in_one_minute_tell_it_once(
    queue: Queue, member: Membership, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    queue(member, queued_at=timezone.now() - timedelta(seconds=30))

    for _ in range(3):
        tasks.settle()

    (line,) = lines(caplog)
    assert (line["level"], line["message"]) == ("info", "queue")
    assert (line["waiting"], line["running"], line["failed"]) == (1, 0, 0)
    assert line["oldest_seconds"] >= 30


def test_it_is_told_again_when_the_minute_is_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    generation.tell_queue()
    cache.clear()

    generation.tell_queue()

    assert len(lines(caplog)) == 2


def test_it_takes_one_query_that_reads_no_ended_answer(member: Membership, queue: Queue) -> None:
    queue(member)

    with CaptureQueriesContext(connection) as captured:
        queue_figures.look(timezone.now())

    asked = [query["sql"] for query in captured if "chat_generation" in query["sql"]]
    assert len(asked) == 1
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked[0]}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    indexes = {"generation_waiting", "generation_running", "generation_failed"}
    assert indexes <= set(plan.split())
