"""Processes are asked to stop (SIGTERM), as at every deployment."""

from chat.models import Deployment
from tenants.models import Membership
from tests.chat.answers import ask, bills, text_of, wait_for_end, wait_for_text
from tests.chat.held import SENTENCE, THREE_WORDS
from tests.chat.listener import cookie_of, events_path, follow
from tests.faults.browsers import Browsers
from tests.stack import Stack, wait_until
from tests.upstream import Gate

TOLD = "told to stop"


def test_a_worker_that_is_asked_to_stop_ends_its_answers_first(
    stack: Stack, member: Membership, deployment: Deployment, gate: Gate
) -> None:
    generation = ask(member)
    wait_for_text(generation, THREE_WORDS)

    stack.worker.ask_to_stop()
    wait_until(lambda: TOLD in stack.log("worker"), what=f"{TOLD!r} in the log")
    stack.worker.ask_to_stop()  # as impatient people do; it changes nothing
    gate.open()
    wait_for_end(generation)

    assert (generation.status, text_of(generation)) == ("completed", SENTENCE)
    assert bills(generation) == ["counted"]
    wait_until(lambda: not stack.worker.is_running(), what="the end of the worker")
    assert stack.worker.exit_status == 0


def test_a_web_process_that_is_asked_to_stop_keeps_nobody_waiting(
    stack: Stack, member: Membership, deployment: Deployment, gate: Gate
) -> None:
    generation = ask(member)
    with (
        follow(stack.url, member, generation) as listener,
        Browsers(stack.port, [events_path(generation)], cookie_of(member)) as browsers,
    ):
        listener.wait_for_text(THREE_WORDS)
        browsers.wait_for_text(THREE_WORDS)

        stack.web.ask_to_stop()
        gate.open()

        wait_until(lambda: not stack.web.is_running(), what="the end of web")
        wait_until(lambda: listener.is_closed, what="a closed stream")
        stack.web.start()
        browsers.wait_for_ends()
    (browser,) = browsers.all
    assert (browser.text, browser.connections, browser.cuts) == (SENTENCE, 2, [])
    assert "timeout graceful shutdown exceeded" not in stack.log("web")
