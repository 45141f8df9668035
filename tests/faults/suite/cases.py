"""What the provider does with a message, and how the message must end then.

A message begins with the name of its case and its number, `[cut 17] …`, so that the provider knows
what to do, and its log, the database and the browsers can be compared. No two answers are alike.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

from tests.upstream import Fault, Reply, Silence, refusals
from tests.upstream.script import Script, Scripts

TOKENS = 30
RATE = 10.0
# What breaks naive handling of text: characters of two to four bytes, joined ones, line breaks of
# Unicode and of events, quotes, HTML.
SPICE = ("Grüße ", "世界 ", "🙂 ", "e\u0301 ", "\u2028", "\n\ndata: x ", "\r\n", "👩\u200d🔬 ")
QUOTES = ('"quoted" ', "back\\slash ", "<b>&amp;</b> ", "&#39; ", "\u00a0")
HUGE_TOKENS = 1_000
HUGE_BYTES = 10_000_000
LONGEST_REPLY = 1_000_000
SHOWN = 8  # tokens before what breaks in the middle

MARK = re.compile(r"\[([a-z0-9-]+) (\d+)\]")
SHAKY, STEADY = "shaky", "steady"


class End(NamedTuple):
    """How an answer ends, as the database has it."""

    status: str
    error_code: str = ""
    filter_side: str = ""


COMPLETED = End("completed")


def text_of(number: int, tokens: int = TOKENS) -> tuple[str, ...]:
    """The tokens of this message's answer."""
    spice = SPICE + QUOTES
    return tuple(f"{number}.{place} {spice[place % len(spice)]}" for place in range(tokens))


@dataclass(frozen=True)
class Case:
    """`shows` is the exact text that must be kept, or None where only its beginning is certain."""

    name: str
    end: End = COMPLETED
    _: KW_ONLY
    # Of the message's number, and of which call it is. Without it others answer than our server.
    script: Callable[[int, int], Script] | None = None
    shows: Callable[[int], str] | None
    deployment: str = SHAKY

    def message(self, number: int) -> str:
        return f"[{self.name} {number}] Tell me about Grüße & <b>世界</b> 🙂"


def _whole(number: int) -> str:
    return "".join(text_of(number))


def _beginning(number: int) -> str:
    return "".join(text_of(number)[:SHOWN])


def _nothing(number: int) -> str:
    return ""


def replies(tokens: int = TOKENS, **fields: object) -> Callable[[int, int], Script]:
    """An answer at the usual pace, with what is told here about it."""
    pace = {"first_token_seconds": 0.3, "tokens_per_second": RATE} | fields

    def script(number: int, call: int) -> Script:
        return Reply(text_of(number, tokens), **pace)  # type: ignore[arg-type]  # fields of Reply

    return script


def breaks(fault: Fault) -> Callable[[int, int], Script]:
    """An answer in whose middle this happens."""
    return replies(fault=fault, fault_at=SHOWN)


def always(script: Script) -> Callable[[int, int], Script]:
    """The same at every call."""
    return lambda _number, _call: script


def at_first(first: Script) -> Callable[[int, int], Script]:
    """This at the message's first call, and an answer at the next."""
    answer = replies()
    return lambda number, call: answer(number, call) if call else first


def _huge(number: int, call: int) -> Script:
    return Reply(_huge_tokens(number), first_token_seconds=0.3)


def _huge_tokens(number: int) -> list[str]:
    piece = f"{number}: " + "x" * (HUGE_BYTES // HUGE_TOKENS - len(f"{number}: "))
    return [piece] * HUGE_TOKENS


def _huge_shown(number: int) -> str:
    return "".join(_huge_tokens(number)[: HUGE_TOKENS * LONGEST_REPLY // HUGE_BYTES])


def _few(number: int) -> str:
    return "".join(text_of(number, SHOWN))


PLAIN = Case("plain", script=replies(), shows=_whole)
STEADY_PLAIN = Case("steady", script=replies(), shows=_whole, deployment=STEADY)

CUT = Case("cut", End("interrupted", "unavailable"), script=breaks(Fault.CUT), shows=_beginning)
RESET = Case("reset", End("interrupted", "unavailable"), script=breaks(Fault.RESET), shows=None)
CUT_AT_FIRST = Case(
    "cut-at-first", script=at_first(Reply(fault=Fault.CUT, fault_at=0)), shows=_whole
)
HANG_FIRST = Case("hang-first", End("failed", "timeout"), script=always(Silence()), shows=_nothing)
HANG_MIDDLE = Case(
    "hang-middle", End("interrupted", "timeout"), script=breaks(Fault.HANG), shows=_beginning
)
MALFORMED = Case(
    "malformed", End("interrupted", "malformed"), script=breaks(Fault.MALFORMED), shows=_beginning
)
UNKNOWN = Case("unknown", script=breaks(Fault.NOISE), shows=_whole)
ERROR_EVENT = Case(
    "error-event", End("interrupted", "unavailable"), script=breaks(Fault.ERROR), shows=_beginning
)
NO_FINISH = Case(
    "no-finish", End("interrupted", "cut_off"), script=replies(finish_reason=None), shows=_whole
)
SPLIT = Case("split", script=replies(SHOWN, split_bytes=1), shows=_few)
FILTER_BEFORE = Case(
    "filter-before",
    End("filtered", "filtered", "prompt"),
    script=always(refusals.content_filter()),
    shows=_nothing,
)
FILTER_FINISH = Case(
    "filter-finish",
    End("filtered", "", "reply"),
    script=replies(SHOWN, finish_reason="content_filter"),
    shows=_few,
)
LENGTH = Case("length", End("truncated"), script=replies(finish_reason="length"), shows=_whole)
NO_USAGE = Case("no-usage", script=replies(usage=None), shows=_whole)
USAGE_WITH_FINISH = Case("usage-inline", script=replies(usage_with_finish=True), shows=_whole)
TOO_LONG = Case(
    "too-long",
    End("failed", "context_too_long"),
    script=always(refusals.context_too_long()),
    shows=_nothing,
)
NO_STREAM = Case(
    "no-stream",
    End("failed", "malformed"),
    script=always(refusals.no_event_stream()),
    shows=_nothing,
)
HUGE = Case("huge", End("truncated"), script=_huge, shows=_huge_shown)

CASES = {
    case.name: case
    for case in (
        PLAIN, STEADY_PLAIN, CUT, RESET, CUT_AT_FIRST, HANG_FIRST, HANG_MIDDLE, MALFORMED, UNKNOWN,
        ERROR_EVENT, NO_FINISH, SPLIT, FILTER_BEFORE, FILTER_FINISH, LENGTH, NO_USAGE,
        USAGE_WITH_FINISH, TOO_LONG, NO_STREAM, HUGE,
    )
}  # fmt: skip


def number_of(message: str) -> int:
    """The number of the last marked message in this text; 0 where there is none."""
    marks = MARK.findall(message)
    return int(marks[-1][1]) if marks else 0


class Playbook(Scripts):
    """Answers each message as its case says, or all of them with one refusal for a while."""

    def __init__(self) -> None:
        super().__init__(Reply())
        self._calls: Counter[int] = Counter()
        self._refusal: Script | None = None

    def refuse(self, refusal: Script | None) -> None:
        """Answer every call of the shaky deployment in this way, until None says to go on."""
        self._refusal = refusal

    def pick(self, prompt: str) -> Script:
        name, digits = MARK.findall(prompt)[-1]
        case, number = CASES[name], int(digits)
        if self._refusal is not None and case.deployment == SHAKY:
            return self._refusal
        call = self._calls[number]
        self._calls[number] += 1
        return case.script(number, call) if case.script else self._default
