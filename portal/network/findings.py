"""What was found about one service: steps in order, each with its outcome."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from portal.network.names import Lookup
from portal.network.plan import Target

T = TypeVar("T")
LONGEST_WAIT = 5.0
STEPS = ("dns", "address", "tcp", "tls", "token", "call")


class Problem(Exception):
    """Something is not as it should be: a code of portal/network/causes.py, and what was seen."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Skip(Exception):
    """A step that says nothing here, and why."""


class Outcome(StrEnum):
    """How a step ended."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Step:
    """One look at a service."""

    name: str
    outcome: Outcome
    text: str
    problem: str = ""


class Deadline:
    """The time that is left for one service."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until it; 0 after it."""
        return max(0.0, self._at - time.monotonic())

    def wait(self) -> float:
        """The longest that one wait for the network may take; raises Problem when it is over."""
        if not self.left:
            raise Problem("too-slow", f"not ready within {self.seconds:g} s")
        return min(LONGEST_WAIT, self.left)


@dataclass
class Findings:
    """What was found about one service, while it is looked at and after."""

    target: Target
    deadline: Deadline
    steps: list[Step] = field(default_factory=list)
    lookup: Lookup | None = None
    current: str = ""
    secrets: set[str] = field(default_factory=set)

    def step(self, name: str, look: Callable[[], tuple[str, T]]) -> T | None:
        """Take one step: `look` says what it saw and gives what it found; None after a failure."""
        self.current = name
        try:
            text, found = look()
        except Problem as problem:
            self._add(Step(name, Outcome.FAILED, problem.text, problem.code))
            return None
        except Skip as reason:
            self._add(Step(name, Outcome.SKIPPED, str(reason)))
            return None
        self._add(Step(name, Outcome.OK, text))
        return found

    def skip(self, name: str, reason: str) -> None:
        """Write down that a step was not taken."""
        self._add(Step(name, Outcome.SKIPPED, reason))

    def fail(self, code: str, text: str) -> None:
        """Write down that the current step failed."""
        self._add(Step(self.current or STEPS[0], Outcome.FAILED, text, code))

    def outcome(self, name: str) -> Step | None:
        """The step of this name, when it was taken."""
        return next((step for step in self.steps if step.name == name), None)

    @property
    def failures(self) -> list[Step]:
        """The steps that failed."""
        return [step for step in self.steps if step.outcome == Outcome.FAILED]

    def _add(self, step: Step) -> None:
        """Keep it, fit to be shown: a server may send back what it was sent, or anything else."""
        text = " ".join(step.text.split())
        for secret in self.secrets:
            text = text.replace(secret, "[secret]")
        text = "".join(letter if letter.isprintable() else "?" for letter in text)
        self.steps.append(Step(step.name, step.outcome, text, step.problem))
