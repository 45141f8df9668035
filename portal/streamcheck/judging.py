"""What is said about something that was measured."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it is."""

    OK = "ok"
    FAILED = "failed"
    NOTED = "noted"  # neither good nor bad


@dataclass(frozen=True)
class Check:
    """One line of the report; `hint` says what to change."""

    name: str
    state: State
    value: str
    hint: str = ""


def check(name: str, value: str, *, ok: bool, hint: str = "") -> Check:
    """One that is good or bad; a hint belongs to the bad one."""
    return Check(name, State.OK if ok else State.FAILED, value, "" if ok else hint)
