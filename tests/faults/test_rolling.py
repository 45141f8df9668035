"""Processes are replaced in the middle of answers, as at every release."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chat.models import Deployment, Generation
from portal import entry
from portal.embedded.postgres import Postgres
from portal.embedded.processes import Child, Program
from portal.embedded.valkey import Valkey
from tenants.models import Membership, Tenant
from tests.chat.answers import ask, bills, text_of, wait_for_end, wait_for_text
from tests.chat.held import SENTENCE, THREE_WORDS, gate
from tests.chat.listener import cookie_of, events_path
from tests.faults.browsers import Browsers
from tests.faults.conftest import crash
from tests.stack import Stack, environment_for, wait_until
from tests.upstream import Gate, Reply, Silence, Upstream

__all__ = ["gate"]  # fixtures

ANSWERS = 50
# For the model, so that a worker waits for what a test holds back; and a short while for leaving.
PATIENT = {"MODEL_FIRST_TOKEN_SECONDS": "300", "MODEL_SILENCE_SECONDS": "300"}
HASTY = {**PATIENT, "CHAT_LEAVE_SECONDS": "2", "DATABASE_POOL_TIMEOUT": "1"}
# Generous: this machine is shared, and starting a process takes what it takes.
SECONDS = 90.0

StartWorker = Callable[[dict[str, str]], Child]


@pytest.fixture
def only_worker(stack: Stack, tmp_path: Path) -> Iterator[StartWorker]:
    """Starts a worker of other settings in place of the stack's."""
    started: list[Child] = []

    def start(settings: dict[str, str]) -> Child:
        program = Program(
            "worker",
            [sys.executable, *entry.worker()],
            log=tmp_path / "worker.log",
            environment=environment_for(PUBLIC_URL=stack.url, **settings),
        )
        stack.worker.ask_to_stop()
        started.append(Child(program))
        started[-1].start()
        wait_until_ready(started[-1])
        wait_until_gone(stack.worker)
        return started[-1]

    yield start
    for child in started:
        child.stop()


@pytest.fixture
def bob(member: Membership) -> Membership:
    """bob, who may have as many answers at once as the tests want."""
    limits = dict.fromkeys(["max_running", "max_running_per_member", "max_queued_per_member"], 200)
    Tenant.objects.filter(pk=member.tenant_id).update(**limits)
    member.tenant.refresh_from_db()
    return member


def wait_until_ready(worker: Child) -> None:
    """Return once this worker takes tickets."""

    def is_ready() -> bool:
        return any("ready." in line for line in worker.log_lines(100))

    wait_until(is_ready, seconds=SECONDS, what=f"a worker, see {worker.log}")


def wait_until_gone(child: Child) -> None:
    """Return once this process has ended by itself."""
    wait_until(lambda: not child.is_running(), seconds=SECONDS, what=f"the end of {child.name}")


def follow_all(stack: Stack, actor: Membership, answers: list[Generation]) -> Browsers:
    """A browser for each of these answers."""
    return Browsers(stack.port, [events_path(each) for each in answers], cookie_of(actor))


def test_a_rolling_restart_loses_none_of_fifty_open_answers(
    stack: Stack,
    bob: Membership,
    deployment: Deployment,
    upstream: Upstream,
    gate: Gate,
    only_worker: StartWorker,
) -> None:
    upstream.when("late", Reply("In time"))
    old = only_worker(PATIENT)
    answers = [ask(bob, f"Message {number}") for number in range(ANSWERS)]
    with follow_all(stack, bob, answers) as browsers:
        browsers.wait_for_text(THREE_WORDS)

        # A new worker beside the old one, which leaves.
        stack.worker.start()
        wait_until_ready(stack.worker)
        old.ask_to_stop()
        wait_until(lambda: "told to stop" in old.log_lines()[-1], what="a worker that leaves")
        late = ask(bob, "A late question")
        wait_for_end(late, seconds=SECONDS)
        assert old.is_running()

        # Nobody serves for a moment.
        stack.web.ask_to_stop()
        wait_until_gone(stack.web)
        stack.web.start()
        browsers.wait_for_connections(2)

        gate.open()
        browsers.wait_for_ends()
    wait_until_gone(old)

    assert old.exit_status == 0
    assert [(each.text, each.status) for each in browsers.all] == [
        (SENTENCE, "completed")
    ] * ANSWERS
    assert [cut for each in browsers.all for cut in each.cuts] == []
    for answer in [*answers, late]:
        answer.refresh_from_db()
        assert (answer.status, answer.attempt, bills(answer)) == ("completed", 1, ["counted"])
    assert {text_of(answer) for answer in answers} == {SENTENCE}
    assert len(upstream.requests) == ANSWERS + 1


def test_a_worker_whose_time_is_over_keeps_what_was_shown_and_hands_back_the_rest(
    stack: Stack,
    bob: Membership,
    deployment: Deployment,
    upstream: Upstream,
    gate: Gate,
    only_worker: StartWorker,
) -> None:
    upstream.next(*[Reply(SENTENCE, gate=gate, gate_at=3)] * 3, *[Silence()] * 3)
    upstream.says(SENTENCE)
    old = only_worker(HASTY)
    begun = [ask(bob) for _ in range(3)]
    upstream.wait_for_requests(3, SECONDS)
    silent = [ask(bob) for _ in range(3)]
    upstream.wait_for_requests(6, SECONDS)
    with follow_all(stack, bob, [*begun, *silent]) as browsers:
        wait_for_text(begun[0], THREE_WORDS)
        stack.worker.start()
        wait_until_ready(stack.worker)

        old.ask_to_stop()
        wait_until_gone(old)

        wait_for_end(*begun, *silent, seconds=SECONDS)
        browsers.wait_for_ends()
    assert old.exit_status == 0
    for answer in begun:
        assert (answer.status, answer.error_code) == ("interrupted", "worker_stopped")
        assert (text_of(answer), bills(answer)) == (THREE_WORDS, ["estimate"])
    for answer in silent:
        assert (answer.status, text_of(answer)) == ("completed", SENTENCE)
        assert bills(answer) == ["counted"]
    shown = [(each.text, each.status) for each in browsers.all]
    assert shown == [(THREE_WORDS, "interrupted")] * 3 + [(SENTENCE, "completed")] * 3


def test_a_worker_leaves_in_time_without_a_database(
    stack: Stack,
    bob: Membership,
    deployment: Deployment,
    gate: Gate,
    postgres: Postgres,
    only_worker: StartWorker,
) -> None:
    worker = only_worker(HASTY)
    wait_for_text(ask(bob), THREE_WORDS)
    crash(postgres)

    worker.ask_to_stop()
    wait_until_gone(worker)

    assert worker.exit_status == 0


def test_a_worker_leaves_in_time_without_redis(
    stack: Stack,
    bob: Membership,
    deployment: Deployment,
    gate: Gate,
    valkey: Valkey,
    only_worker: StartWorker,
) -> None:
    worker = only_worker(HASTY)
    answer = ask(bob)
    wait_for_text(answer, THREE_WORDS)
    crash(valkey)

    worker.ask_to_stop()
    wait_until_gone(worker)

    answer.refresh_from_db()
    assert worker.exit_status == 0
    assert (answer.status, text_of(answer)) == ("interrupted", THREE_WORDS)
