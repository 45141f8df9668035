"""Looking ahead: what would make a deployment fail after half an hour is said in the first minute.

Each check asks Azure and gives findings. What cannot be looked up is said so, and stops nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from portal.infra.arm import Arm, ArmError
from portal.infra.parameters import Parameters

Json = dict[str, Any]

OK, PROBLEM, UNKNOWN = "ok", "problem", "unknown"
MARKS = {OK: "ok      ", PROBLEM: "PROBLEM ", UNKNOWN: "unknown "}


@dataclass(frozen=True)
class Finding:
    """One answer: `state` is ok, problem or unknown; `remedy` is what to do about a problem."""

    state: str
    subject: str
    text: str
    remedy: str = ""

    def lines(self) -> Iterator[str]:
        """As it is shown."""
        yield f"  {MARKS[self.state]}{self.subject}: {self.text}"
        if self.remedy:
            yield f"            → {self.remedy}"


@dataclass(frozen=True)
class Subject:
    """What is to be deployed, and where."""

    arm: Arm
    group: str
    group_exists: bool
    location: str
    template: Json
    parameters: Parameters = field(repr=False)

    def on(self, name: str) -> Any:
        """The value of a parameter, or the template's default."""
        return self.parameters.value(name)


Check = Callable[[Subject], Iterator[Finding]]


def run(checks: dict[str, Check], subject: Subject) -> Iterator[Finding]:
    """The findings of each check, as they come; `checks` maps what is looked at to how."""
    for name, check in checks.items():
        try:
            yield from check(subject)
        except ArmError as error:
            yield Finding(UNKNOWN, name, f"could not be looked up ({error.code}: {error.text})")
