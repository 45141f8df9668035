"""What is said of a stream, by when its events came."""

import pytest

from portal.streamcheck.diagnostic import END, TICK, Plan
from portal.streamcheck.judging import State
from portal.streamcheck.measuring import Arrival, Measured
from portal.streamcheck.streams import StreamResult, check_answer, judge

PLAN = Plan(20.0, 15.0)
HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
}
GOOD = [number / 4 for number in range(20)]


def came(times: list[float], *, heartbeat: float = 20.0, **changes: object) -> Measured:
    """A stream whose events were sent every quarter of a second, and came at these times."""
    arrivals = [
        Arrival(TICK, at + 0.03, {"number": number, "sent": number / 4})
        for number, at in enumerate(times)
    ]
    arrivals += [Arrival("", heartbeat), Arrival(END, 20.0, {"number": 20, "sent": 20.0})]
    arrivals.sort(key=lambda arrival: arrival.at)
    fields = {"headers": HEADERS, "headers_at": 0.02, "arrivals": arrivals, "closed_at": 20.0}
    return Measured(status=200, is_portals=True, **{**fields, **changes})  # type: ignore[arg-type]  # a test's shorthand


def failed(measured: Measured) -> set[str]:
    return failures(judge(measured, PLAN))


def failures(result: StreamResult) -> set[str]:
    return {one.name for one in result.checks if one.state is State.FAILED}


def test_a_stream_that_flows_is_good() -> None:
    assert failed(came(GOOD, heartbeat=19.0)) == set()


def test_events_that_come_all_at_the_end_were_held_back() -> None:
    assert failed(came([20.0] * 20)) == {"first event", "one by one", "longest gap"}


def test_events_that_come_in_lumps_were_held_back() -> None:
    lumps = [1.0] * 5 + [2.25] * 5 + [3.5] * 5 + [4.75] * 5

    assert failed(came(lumps, heartbeat=19.0)) == {"one by one"}


def test_one_hesitation_of_the_network_is_no_buffering() -> None:
    times = [*GOOD[:8], 2.75, 2.75, 2.75, 2.75, *GOOD[12:]]

    assert failed(came(times, heartbeat=19.0)) == set()


@pytest.mark.parametrize("times", [GOOD[:12], [*GOOD[:3], *GOOD[4:]]])
def test_events_that_are_missing_are_noticed(times: list[float]) -> None:
    assert "complete" in failed(came(times, heartbeat=19.0))


def test_a_connection_that_is_cut_is_noticed() -> None:
    cut = came(GOOD, heartbeat=19.0)
    cut.arrivals, cut.closed_at, cut.broken = cut.arrivals[:-2], 12.0, "closed."

    assert failed(cut) == {"stays open"}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"content-type": "text/html"}, {"content type"}),
        ({"cache-control": "no-cache"}, {"cache control"}),
        ({"cache-control": "no-transform,no-cache, private"}, set()),
    ],
)
def test_headers_that_were_changed_are_noticed(headers: dict[str, str], expected: set[str]) -> None:
    assert failed(came(GOOD, heartbeat=19.0, headers={**HEADERS, **headers})) == expected


def test_a_compressed_stream_is_not_read_on() -> None:
    compressed = came([], headers={**HEADERS, "content-encoding": "gzip"}, arrivals=[])

    assert failed(compressed) == {"compression"}


def test_an_answer_is_good_when_its_words_came() -> None:
    arrivals = [Arrival("snapshot", 0.1, {"text": ""}), Arrival("delta", 0.8, {"text": "One"})]
    measured = Measured(
        headers=HEADERS, arrivals=[*arrivals, Arrival("end", 2.0, {"status": "completed"})]
    )
    silent = Measured(headers=HEADERS, arrivals=[Arrival("end", 2.0, {"status": "failed"})])

    good, bad = check_answer(measured), check_answer(silent)

    assert good.numbers == {"first_words_seconds": 0.8}
    assert all(one.state is not State.FAILED for one in good.checks)
    assert {one.name for one in bad.checks if one.state is State.FAILED} == {
        "first words",
        "answer",
    }
