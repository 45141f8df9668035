"""The faults: what breaks, which messages meet it, and which ends it may give them."""

import random
import signal
import time
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from functools import partial

from tests.faults.suite import cases
from tests.faults.suite.cases import PLAIN, Case, End, Playbook
from tests.faults.suite.portal import WORKERS, Portal
from tests.upstream import refusals
from tests.upstream.script import Script

Act = Callable[[Portal, Playbook], None]

LOST_WORKER = frozenset({End("interrupted", "worker_lost")})
AWAY_SECONDS = 2.0
REFUSING_SECONDS = 4.0


@dataclass(frozen=True)
class Fault:
    """Messages of these cases, dealt out among the conversations, and what is done meanwhile.

    Without `act` each conversation sends one such message and then one of the case `then`. With it
    they send one after the other until it is over, and one more.
    """

    name: str
    cases: tuple[Case, ...] = (PLAIN,)
    _: KW_ONLY
    then: Case | None = PLAIN  # None: the same again
    act: Act | None = None
    is_amid_answers: bool = True  # `act` begins when half of the answers have; else at once
    also: frozenset[End] = frozenset()  # ends that it may give besides those of the cases
    limit_seconds: float = 60.0
    chance: random.Random | None = None  # deals the cases out anew for every message

    def __str__(self) -> str:
        return self.name


def _kill(names: tuple[str, ...], portal: Portal, playbook: Playbook) -> None:
    for name in names:
        portal.kill(name, away_seconds=AWAY_SECONDS)


def _replace(names: tuple[str, ...], portal: Portal, playbook: Playbook) -> None:
    for name in names:
        portal.replace(name)


def _stop_valkey(loses_data: bool, portal: Portal, playbook: Playbook) -> None:
    portal.stop_valkey(away_seconds=AWAY_SECONDS, loses_data=loses_data)


def _restart_postgres(how: signal.Signals, portal: Portal, playbook: Playbook) -> None:
    portal.restart_postgres(how, away_seconds=AWAY_SECONDS / 2)


def _refuse(refusal: Script, portal: Portal, playbook: Playbook) -> None:
    playbook.refuse(refusal)
    time.sleep(REFUSING_SECONDS)
    playbook.refuse(None)


def _refused(name: str, refusal: Script, code: str) -> Fault:
    """Half the conversations are with a deployment that refuses for a while, half with another."""
    return Fault(
        name,
        (PLAIN, cases.STEADY_PLAIN),
        act=partial(_refuse, refusal),
        is_amid_answers=False,
        also=frozenset({End("failed", code)}),
        limit_seconds=90,
    )


KILLED_WORKER = Fault("worker killed", act=partial(_kill, WORKERS[:1]), also=LOST_WORKER)
EMPTY_VALKEY = Fault("Valkey restarted, its data lost", act=partial(_stop_valkey, True))
CRASHED_POSTGRES = Fault(
    "PostgreSQL restarted, immediate", act=partial(_restart_postgres, signal.SIGQUIT)
)
RATE_LIMITED = _refused("429 with Retry-After", refusals.rate_limited(2), "rate_limited")

PROCESSES = (
    KILLED_WORKER,
    Fault("both workers killed in turn", act=partial(_kill, WORKERS), also=LOST_WORKER),
    Fault("web killed", act=partial(_kill, ("web",))),
    Fault("beat killed", act=partial(_kill, ("beat",))),
    Fault("workers and web replaced in turn", act=partial(_replace, (*WORKERS, "web"))),
    Fault("Valkey restarted with its data", act=partial(_stop_valkey, False)),
    EMPTY_VALKEY,
    Fault("PostgreSQL restarted, fast", act=partial(_restart_postgres, signal.SIGINT)),
    CRASHED_POSTGRES,
)
REFUSALS = (
    RATE_LIMITED,
    _refused("429 without Retry-After", refusals.rate_limited(), "rate_limited"),
    _refused("500", refusals.server_error(), "unavailable"),
    _refused("503", refusals.overloaded(), "unavailable"),
)
# One in five meets it, or all.
ANSWERS = (
    Fault("hangs before the first token", (cases.HANG_FIRST, PLAIN)),
    Fault("hangs in the middle", (cases.HANG_MIDDLE, PLAIN)),
    Fault("connection closed in the middle", (cases.CUT, PLAIN)),
    Fault("connection reset in the middle", (cases.RESET, PLAIN)),
    Fault("connection closed before the first token", (cases.CUT_AT_FIRST, PLAIN)),
    Fault("error in the stream", (cases.ERROR_EVENT, PLAIN)),
    Fault("ended without a finish reason", (cases.NO_FINISH, PLAIN)),
    Fault("malformed chunk", (cases.MALFORMED, PLAIN)),
    Fault("unknown chunks and fields", (cases.UNKNOWN,)),
    Fault("no event stream", (cases.NO_STREAM, PLAIN)),
    Fault("split at every byte", (cases.SPLIT, *(PLAIN,) * 4)),
    Fault("content filter before", (cases.FILTER_BEFORE, PLAIN)),
    Fault("content filter in the stream", (cases.FILTER_FINISH, PLAIN)),
    Fault("length limit", (cases.LENGTH, PLAIN)),
    Fault("context too long", (cases.TOO_LONG, PLAIN)),
    Fault("usage omitted", (cases.NO_USAGE,)),
    Fault("usage beside the finish reason", (cases.USAGE_WITH_FINISH,)),
    Fault("10 MB", (cases.HUGE, *(PLAIN,) * 9), limit_seconds=120),
)
MIXED = Fault(
    "every answer that breaks, mixed",
    (cases.CUT, cases.HANG_MIDDLE, cases.MALFORMED, cases.FILTER_FINISH, cases.FILTER_BEFORE,
     cases.SPLIT, cases.NO_USAGE, cases.UNKNOWN, cases.NO_FINISH, PLAIN),
)  # fmt: skip

ALL = (*PROCESSES, *REFUSALS, *ANSWERS)
SHORT = (KILLED_WORKER, EMPTY_VALKEY, CRASHED_POSTGRES, RATE_LIMITED, MIXED)

# What random messages are, half of them plain; ten megabytes each would only be slow.
MESSAGES = tuple(case for fault in ANSWERS for case in fault.cases if case is not cases.HUGE)
# The ends that any of the acts may give.
ANY = LOST_WORKER | {End("failed", code) for code in ("worker_lost", "rate_limited", "unavailable")}


def at_random(seconds: float, seed: int) -> Fault:
    """Any messages and any acts, for so long."""
    return Fault(
        f"at random, seed {seed}",
        MESSAGES,
        act=partial(_at_random, seconds, random.Random(seed)),
        also=ANY,
        limit_seconds=180,
        chance=random.Random(seed),
    )


def _at_random(seconds: float, chance: random.Random, portal: Portal, playbook: Playbook) -> None:
    acts = [fault.act for fault in (*PROCESSES, *REFUSALS) if fault.act is not None]
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        chance.choice(acts)(portal, playbook)
        time.sleep(chance.uniform(1.0, 6.0))
