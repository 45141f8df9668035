"""The judge of the fault suite notices each promise that can be broken."""

import uuid
from dataclasses import replace

import pytest

from tests.faults.suite.calls import Call
from tests.faults.suite.cases import COMPLETED, CUT, PLAIN, End
from tests.faults.suite.judge import Verdict, Wrong, judge, judge_ledger
from tests.faults.suite.stored import Bill, Run, Stored
from tests.faults.suite.tab import Sent
from tests.upstream import Usage

WHOLE = PLAIN.shows(1) if PLAIN.shows else ""
COUNTED = Call(WHOLE, Usage(20, 30), is_answered=True)
BILL = Bill(20, 30, is_estimate=False)
ESTIMATE = Bill(19, 28, is_estimate=True)
RUN = Run(uuid.uuid4(), COMPLETED, 1, WHOLE, [BILL])


def verdict_on(run: Run, *calls: Call, sent: Sent | None = None) -> Verdict:
    """Of a message that was sent and stored once."""
    sent = sent or seen(run.text, run.end.status)
    return judge(sent, Stored({uuid.uuid4()}, [run]), calls, frozenset({sent.case.end}))


def seen(text: str, status: str = "completed") -> Sent:
    """A message whose page shows this."""
    sent = Sent(1, PLAIN, acknowledged_at=1.0, ended_at=5.0, status=status, text=text)
    sent.shown.text, sent.shown.end = text, {"status": status}
    return sent


def test_an_answer_that_is_whole_and_billed_once_is_honest() -> None:
    assert verdict_on(RUN, COUNTED).is_honest


@pytest.mark.parametrize(
    ("run", "calls", "wrong"),
    [
        (replace(RUN, end=End("running")), [COUNTED], Wrong.LOST),
        (replace(RUN, end=End("failed", "internal")), [COUNTED], Wrong.DISHONEST),
        (replace(RUN, text=WHOLE[:-1]), [COUNTED], Wrong.LOST),
        (replace(RUN, text="of another"), [COUNTED], Wrong.DISHONEST),
        (RUN, [replace(COUNTED, is_answered=False)], Wrong.DISHONEST),
        (replace(RUN, bills=[BILL, BILL]), [COUNTED], Wrong.DOUBLE),
        (replace(RUN, attempt=2), [COUNTED, COUNTED], Wrong.DOUBLE),
        (RUN, [COUNTED, replace(COUNTED, is_answered=False, reported=None)], Wrong.DOUBLE),
        (replace(RUN, bills=[]), [COUNTED], Wrong.BILL),
        (replace(RUN, bills=[ESTIMATE]), [COUNTED], Wrong.BILL),
        (replace(RUN, bills=[replace(BILL, output_tokens=31)]), [COUNTED], Wrong.BILL),
    ],
    ids=[
        "live", "another end", "cut short", "another text", "of a call that was cut",
        "two entries", "two answers", "more calls than attempts", "no entry", "an estimate",
        "other tokens",
    ],
)  # fmt: skip
def test_what_is_stored_otherwise_is_noticed(run: Run, calls: list[Call], wrong: Wrong) -> None:
    assert wrong in {violation.wrong for violation in verdict_on(run, *calls).violations}


@pytest.mark.parametrize(
    "sent",
    [seen(WHOLE[:-1]), seen(WHOLE, "interrupted"), replace(seen(WHOLE), problem="no end")],
    ids=["less", "another end", "no end"],
)
def test_what_a_browser_saw_otherwise_is_noticed(sent: Sent) -> None:
    assert not verdict_on(RUN, COUNTED, sent=sent).is_honest


@pytest.mark.parametrize(
    "stored",
    [Stored(), Stored({uuid.uuid4(), uuid.uuid4()}, [RUN]), Stored({uuid.uuid4()}, [RUN, RUN])],
    ids=["not stored", "stored twice", "run twice"],
)
def test_a_message_that_is_not_stored_once_is_lost(stored: Stored) -> None:
    verdict = judge(seen(WHOLE), stored, [COUNTED], frozenset({COMPLETED}))

    assert verdict.violations[0].wrong == Wrong.LOST


def test_an_interrupted_answer_keeps_its_beginning_and_is_billed_by_estimate() -> None:
    text = CUT.shows(1) if CUT.shows else ""
    sent = replace(seen(text, "interrupted"), case=CUT)
    run = Run(uuid.uuid4(), CUT.end, 1, text, [ESTIMATE])
    call = Call(text, None, is_answered=True)

    assert verdict_on(run, call, sent=sent).is_honest
    assert not verdict_on(replace(run, text=text[:-1]), call, sent=sent).is_honest


def test_a_ledger_that_differs_from_the_providers_log_is_noticed() -> None:
    stored = {1: Stored({uuid.uuid4()}, [RUN])}

    assert judge_ledger(stored, {1: [COUNTED]}) == []
    assert judge_ledger(stored, {1: [COUNTED], 2: [COUNTED]}) != []
