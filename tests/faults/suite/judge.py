"""Compares what browsers saw, what is stored, and what the provider counted, message by message."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.suite.calls import Call
from tests.faults.suite.cases import COMPLETED, End
from tests.faults.suite.stored import Bill, Run, Stored
from tests.faults.suite.tab import Sent
from tests.upstream import Usage

MOST_ATTEMPTS = 3  # CHAT_MAX_ATTEMPTS
# Of these, the provider's counts may have come and gone with the worker.
_BY_LOSS = {"worker_lost", "worker_stopped"}
_AFTER_ALL_ATTEMPTS = {End("failed", "rate_limited"), End("failed", "unavailable")}


class Wrong(StrEnum):
    """What kind of promise is broken."""

    LOST = "lost"
    DOUBLE = "billed twice"
    DISHONEST = "no honest end"
    BILL = "wrong bill"
    SHOWN = "shown otherwise"
    RUDE = "provider treated badly"


@dataclass(frozen=True)
class Violation:
    """One broken promise."""

    wrong: Wrong
    what: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.wrong}: message {self.number}: {self.what}"


@dataclass
class Verdict:
    """What became of one message."""

    sent: Sent
    end: End | None = None
    violations: list[Violation] = field(default_factory=list)

    @property
    def is_honest(self) -> bool:
        return self.end is not None and not self.violations


def judge(sent: Sent, stored: Stored, calls: Sequence[Call], allowed: frozenset[End]) -> Verdict:
    """Everything that is promised of one message; `allowed` are the ends that it may have."""
    run = stored.runs[0] if len(stored.runs) == 1 else None
    found = list(_lost(sent, stored))
    if run is not None:
        found += _ended(run, allowed)
        found += _kept(sent, run, calls)
        found += _billed(sent, run, calls)
        found += _called(run, calls)
        found += _shown(sent, run)
    number = sent.number
    violations = [Violation(wrong, f"{what} [{sent.case.name}]", number) for wrong, what in found]
    return Verdict(sent, run.end if run and not run.is_live else None, violations)


def judge_ledger(
    stored: Mapping[int, Stored], called: Mapping[int, Sequence[Call]]
) -> list[Violation]:
    """Both sums over all messages: what the ledger has as counted, and the provider's own log."""
    told = {number: message for number, message in stored.items() if _is_told(called, number)}
    runs = [run for message in told.values() for run in message.runs]
    bills = [bill for run in runs for bill in run.bills if not bill.is_estimate]
    lost = {
        number
        for number, message in told.items()
        if any(run.end.error_code in _BY_LOSS for run in message.runs)
    }
    calls = [call for number in called.keys() - lost for call in called[number]]
    log = [call.reported for call in calls if call.reported is not None and call.counts]
    ledger, counted = _sum(bills), _sum(log)
    if ledger == counted:
        return []
    return [Violation(Wrong.BILL, f"the ledger has {ledger}, the provider counted {counted}")]


def _is_told(called: Mapping[int, Sequence[Call]], number: int) -> bool:
    """Whether who was asked keeps a record of tokens."""
    return all(call.counts for call in called.get(number, ()))


def _sum(tokens: Sequence[Bill | Usage]) -> tuple[int, int]:
    return sum(each.input_tokens for each in tokens), sum(each.output_tokens for each in tokens)


Found = Iterator[tuple[Wrong, str]]


def _lost(sent: Sent, stored: Stored) -> Found:
    if sent.problem:
        yield Wrong.LOST, sent.problem
    if len(stored.prompts) != 1:
        yield Wrong.LOST, f"stored {len(stored.prompts)} times"
    if len(stored.runs) != 1:
        yield Wrong.LOST, f"has {len(stored.runs)} generations"


def _ended(run: Run, allowed: frozenset[End]) -> Found:
    if run.is_live:
        yield Wrong.LOST, f"is still {run.end.status}"
    elif run.end not in allowed:
        wanted = " or ".join(_words(end) for end in sorted(allowed))
        yield Wrong.DISHONEST, f"{_words(run.end)}, must be {wanted}"
    elif run.end in _AFTER_ALL_ATTEMPTS and run.attempt < MOST_ATTEMPTS:
        yield Wrong.DISHONEST, f"{_words(run.end)} after {run.attempt} of {MOST_ATTEMPTS} attempts"


def _words(end: End) -> str:
    return "/".join(part for part in end if part)


def _kept(sent: Sent, run: Run, calls: Sequence[Call]) -> Found:
    """The text is what the provider sent, all of it where it must be, and of one call alone."""
    if run.text and not any(call.sent_text.startswith(run.text) for call in calls):
        yield Wrong.DISHONEST, f"keeps what was never sent: {run.text[-60:]!r}"
    if run.end == sent.case.end and sent.case.shows is not None:
        wanted = sent.case.shows(sent.number)
        if run.text != wanted:
            yield Wrong.LOST, f"keeps {len(run.text)} of {len(wanted)} characters"
    if run.end.status == "interrupted" and not run.text:
        yield Wrong.DISHONEST, "interrupted without a text"
    if run.end.status == "failed" and run.text:
        yield Wrong.DISHONEST, "failed, and keeps a text"


def _billed(sent: Sent, run: Run, calls: Sequence[Call]) -> Found:
    if len(run.bills) > 1:
        yield Wrong.DOUBLE, f"has {len(run.bills)} entries in the ledger"
    counted = [call.reported for call in calls if call.reported is not None]
    if not run.bills:
        if run.text or counted:
            yield Wrong.BILL, "has no entry in the ledger"
        return
    if all(call.counts for call in calls):
        yield from _priced(run, run.bills[0], counted)


def _priced(run: Run, bill: Bill, counted: Sequence[Usage]) -> Found:
    tokens = Usage(bill.input_tokens, bill.output_tokens)
    if not bill.is_estimate:
        if tokens not in counted:
            yield Wrong.BILL, f"is billed {tokens}, the provider counted {counted}"
    elif counted and run.end.error_code not in _BY_LOSS:
        yield Wrong.BILL, f"is billed by estimate, the provider counted {counted}"
    elif not run.text:
        yield Wrong.BILL, "is billed by estimate for nothing"
    if len(counted) > 1:
        yield Wrong.DOUBLE, f"the provider counted {len(counted)} calls"


def _called(run: Run, calls: Sequence[Call]) -> Found:
    if len(calls) > min(run.attempt, MOST_ATTEMPTS):
        yield Wrong.DOUBLE, f"{len(calls)} calls in {run.attempt} attempts"
    if sum(call.is_answered for call in calls) > 1:
        yield Wrong.DOUBLE, "the provider answered more than once"
    if run.end == COMPLETED and not any(call.is_answered for call in calls):
        yield Wrong.DISHONEST, "completed, and no call was answered"


def _shown(sent: Sent, run: Run) -> Found:
    """The page shows what is stored; its stream had shown that text, or its beginning."""
    if sent.problem or run.is_live:
        return
    if (sent.status, sent.text) != (run.end.status, run.text):
        yield Wrong.SHOWN, f"the page shows {sent.status} with {len(sent.text)} characters"
    seen = sent.shown
    if not run.text.startswith(seen.text):
        yield Wrong.SHOWN, f"the stream showed {seen.text[-60:]!r}"
    if seen.end is not None and seen.end["status"] != run.end.status:
        yield Wrong.SHOWN, f"the stream ended as {seen.end['status']}, stored is {run.end.status}"
    if seen.end is not None and run.end == COMPLETED and seen.text != run.text:
        yield Wrong.SHOWN, f"the stream ended after {len(seen.text)} of {len(run.text)} characters"
