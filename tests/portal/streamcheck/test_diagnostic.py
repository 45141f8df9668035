"""The diagnostic stream: whom it answers, what it sends, and that it costs nearly nothing."""

import math
import time
from contextlib import ExitStack
from typing import Any

import pytest
from django.core.signing import TimestampSigner
from django.test import Client

from portal.streamcheck import diagnostic
from portal.streamcheck.connection import Origin, Request
from portal.streamcheck.diagnostic import MAX_OPEN, MAX_SECONDS, TOKEN_SECONDS, Plan
from portal.streamcheck.measuring import measure
from tests.stack import Stack, wait_until

SHORT = Plan(1.0, 15.0)
LONG = Plan(60.0, 1.0)


@pytest.fixture
def browser() -> Client:
    """A stranger's; unlike the tests' usual one it has nothing to do with the database."""
    return Client()


def status(browser: Client, token: str) -> int:
    return browser.get("/streamz", headers={"Authorization": f"Bearer {token}"}).status_code


def bearer(plan: Plan) -> dict[str, str]:
    return {"Authorization": f"Bearer {plan.signed()}"}


# ── Whom it answers ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("written", ["", "Bearer", "Bearer x", "Basic {}", "Bearer {}x", "{}"])
def test_nobody_else_learns_that_it_is_there(browser: Client, written: str) -> None:
    headers = {"Authorization": written.format(SHORT.signed())}

    assert browser.get("/streamz", headers=headers).status_code == 404


def test_a_token_for_something_else_opens_nothing(browser: Client) -> None:
    token = TimestampSigner(salt="another").sign_object(list(SHORT))

    assert status(browser, token) == 404


def test_an_old_token_opens_nothing(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as past:
        past.setattr(time, "time", lambda now=time.time: now() - TOKEN_SECONDS - 5)
        token = SHORT.signed()

    assert status(browser, token) == 404
    assert status(browser, SHORT.signed()) == 200


@pytest.mark.parametrize(
    "found", [[MAX_SECONDS + 1, 15], [-1, 15], [1, 0], [math.inf, 1], [1], ["a", 1], {}, None]
)
def test_a_plan_without_sense_opens_nothing(browser: Client, found: Any) -> None:
    token = TimestampSigner(salt="portal.streamcheck").sign_object(found)

    assert status(browser, token) == 404


def test_a_token_opens_it_without_the_database(browser: Client) -> None:
    answer: Any = browser.get("/streamz", headers=bearer(SHORT))  # which no test here may use

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    assert answer["Cache-Control"] == "no-cache, no-transform"


# ── What it sends ──────────────────────────────────────────────────────────────────────────────
def test_events_come_with_number_and_time_then_heartbeats_then_the_end(stack: Stack) -> None:
    plan = Plan(1.2, 0.1)

    came = measure(Origin(stack.url), "/streamz", bearer(plan), seconds=2, last=diagnostic.END)

    ticks = came.named(diagnostic.TICK)
    assert [tick.data["number"] for tick in ticks] == list(range(plan.ticks))
    assert len({tick.data["sent"] for tick in ticks}) == len(ticks)
    assert came.named("")
    assert came.arrivals[-1].name == diagnostic.END


# ── What it costs ──────────────────────────────────────────────────────────────────────────────
def test_so_many_are_open_and_no_more(stack: Stack) -> None:
    origin = Origin(stack.url)

    def next_status() -> int:
        with origin.open(Request("GET", "/streamz", bearer(LONG)), seconds=30) as (response, _):
            return response.status

    with ExitStack() as exits:
        for _ in range(MAX_OPEN):
            request = Request("GET", "/streamz", bearer(LONG))
            response, _ = exits.enter_context(origin.open(request, seconds=30))
            assert response.readline()  # it has begun
        assert next_status() == 503
        assert origin.ask(Request("GET", "/accounts/login/")).status == 200

    wait_until(lambda: next_status() == 200, what="free places")
