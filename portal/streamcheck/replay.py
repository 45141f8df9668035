"""Sends the corpora past the firewall: prompts must reach the portal, attacks must not.

Nobody is signed in, so the portal refuses everything itself: no model is called, nothing stored.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from portal.streamcheck import causes
from portal.streamcheck.connection import Origin, Request, Unreachable
from portal.streamcheck.corpus import CHAT_PATHS, FORM, Attack, Prompt

Progress = Callable[[int, int], None]

# After so many refusals in a row it is asked whether anything gets through.
_SUSPICIOUS = 6
_RULE_ID = re.compile(r"\b(?:9[0-9]{5}|99[0-9]{6})\b")


class Pace(NamedTuple):
    """Seconds from one request to the next, and who is told how far it is."""

    seconds: float
    progress: Progress


@dataclass(frozen=True)
class Failure:
    """A prompt that was stopped, or an attack that was not."""

    id: str
    category: str
    way: str
    status: int  # 0: no answer
    cause: str
    sample: str


@dataclass
class Replayed:
    """What became of a corpus. `counts`: the texts of each category, and how many are good."""

    requests: int = 0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    tolerated: list[Failure] = field(default_factory=list)  # attacks that a rule set may let pass

    def count(self, category: str, *, good: bool) -> None:
        """One more text of this category."""
        texts, fine = self.counts.get(category, (0, 0))
        self.counts[category] = (texts + 1, fine + good)


class _Outcome(NamedTuple):
    reached: bool
    status: int
    rule: str


def replay_prompts(origin: Origin, corpus: list[Prompt], pace: Pace) -> Replayed:
    """Post each prompt in every way. Raises Unreachable when nothing gets through any more."""
    done, run, in_a_row = Replayed(), _Run(origin, pace, 4 * len(corpus)), 0
    run.prove_open()
    for prompt in corpus:
        failures = list(_failures(run, prompt))
        done.count(prompt.category, good=not failures)
        done.failures += failures
        in_a_row = in_a_row + 1 if failures else 0
        if in_a_row >= _SUSPICIOUS:
            run.prove_open()
            in_a_row = 0
    done.requests = run.sent
    return done


def _failures(run: "_Run", prompt: Prompt) -> Iterator[Failure]:
    for way, request in prompt.requests():
        outcome = run.send(request)
        if not outcome.reached:
            cause = causes.of_block(outcome.status, outcome.rule, prompt.category)
            yield Failure(
                prompt.id, prompt.category, way, outcome.status, cause, _sample(prompt.text)
            )


def replay_attacks(origin: Origin, corpus: list[Attack], pace: Pace) -> Replayed:
    """Send each attack once. Raises Unreachable when the portal is not reachable all the while."""
    done, run = Replayed(), _Run(origin, pace, len(corpus))
    run.prove_open()
    for number, attack in enumerate(corpus, 1):
        outcome = run.send(attack.request)
        is_good = not outcome.reached or bool(attack.may_pass)
        done.count(attack.category, good=is_good)
        if outcome.reached:
            cause = attack.may_pass or causes.of_pass(attack)
            way = f"{attack.request.method} {attack.request.target.partition('?')[0]}"
            failure = Failure(
                attack.id, attack.category, way, outcome.status, cause, _shown(attack)
            )
            (done.tolerated if attack.may_pass else done.failures).append(failure)
        if number % 20 == 0 or number == len(corpus):
            run.prove_open()  # else a firewall that refuses everybody would look good
    if len(done.failures) > len(corpus) / 2:  # no single exclusion does that
        done.failures = [replace(one, cause=causes.NOT_BLOCKING) for one in done.failures]
    done.requests = run.sent
    return done


class _Run:
    """Requests one after the other, at the pace."""

    def __init__(self, origin: Origin, pace: Pace, total: int) -> None:
        self._origin, self._pace, self._total = origin, pace, total
        self._next = time.monotonic()
        self.sent = 0

    def send(self, request: Request) -> _Outcome:
        """Whether it reached the portal; counts."""
        outcome = self._send(request)
        self.sent += 1
        self._pace.progress(self.sent, self._total)
        return outcome

    def prove_open(self) -> None:
        """Raise Unreachable if not even a greeting reaches the portal."""
        greeting = Prompt("hello", "control", "Hello").request(CHAT_PATHS[0], FORM)
        outcome = self._send(greeting)
        if not outcome.reached:
            raise Unreachable(causes.of_closed_door(outcome.status, self.sent))

    def _send(self, request: Request) -> _Outcome:
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = time.monotonic() + self._pace.seconds
        try:
            answer = self._origin.ask(request)
        except Unreachable:
            return _Outcome(reached=False, status=0, rule="")
        rule = "" if answer.is_portals else _rule_in(answer.text)
        return _Outcome(answer.is_portals, answer.status, rule)


def _rule_in(text: str) -> str:
    found = _RULE_ID.search(text)
    return found[0] if found else ""


def _sample(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 70 else f"{line[:70]}…"


def _shown(attack: Attack) -> str:
    """What is attacked with: the query, else the body, else path and headers."""
    path, _, query = attack.request.target.partition("?")
    headers = " ".join(f"{name}: {value}" for name, value in attack.request.headers.items())
    return _sample(query or attack.request.body.decode() or f"{path} {headers}")
