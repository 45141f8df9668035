"""Watching a deployment: one line for each resource that begins, is done or fails."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from portal.infra import causes
from portal.infra.arm import Arm, ArmError
from portal.infra.history import RUNNING, state
from portal.infra.ids import name_of, type_of

Json = dict[str, Any]

DEPLOYMENT = "microsoft.resources/deployments"
# How long a lost connection is waited for; the deployment goes on without us.
PATIENCE_SECONDS = 600
WORDS = {
    "Running": "begun",
    "Accepted": "begun",
    "Creating": "begun",
    "Succeeded": "done",
    "Failed": "FAILED",
    "Canceled": "cancelled",
}


class Screen(Protocol):
    """Where progress is shown."""

    def line(self, text: str) -> None:
        """A line that stays."""

    def status(self, text: str) -> None:
        """What is true now; the next one replaces it. Nothing where lines are not overwritten."""


@dataclass(frozen=True)
class Step:
    """What a deployment has done to one resource so far."""

    id: str
    state: str
    error: Json

    @property
    def is_deployment(self) -> bool:
        """Whether it stands for a module, whose resources are steps of their own."""
        return type_of(self.id).lower() == DEPLOYMENT


class Watch:
    """Follows one deployment to its end."""

    def __init__(self, arm: Arm, group: str, name: str, *, every_seconds: float) -> None:
        self._arm, self._group, self._name = arm, group, name
        self._every = every_seconds
        self._began = time.monotonic()
        self._states: dict[str, str] = {}
        self._finished_modules: set[str] = set()
        self._failures: dict[str, causes.Fault] = {}
        self._lost_since = 0.0

    def follow(self, screen: Screen) -> Json:
        """Show progress until Azure is done; the deployment as it ended.

        A lost connection is waited for some minutes, then ArmError.
        """
        while True:
            deployment = self._look(screen)
            if deployment and state(deployment) not in RUNNING:
                screen.status("")
                return deployment
            screen.status(self._now())
            time.sleep(self._every)

    def faults(self, deployment: Json) -> list[causes.Fault]:
        """The innermost errors, from the resources' own; else from the deployment's."""
        if self._failures:
            return list(dict.fromkeys(self._failures.values()))
        error = deployment["properties"].get("error")
        return causes.innermost(error) if error else []

    def _look(self, screen: Screen) -> Json | None:
        """The deployment now; None where Azure does not answer."""
        try:
            deployment = self._arm.deployment(self._group, self._name)
            for step in self._steps(deployment["id"]):
                self._tell(step, screen)
        except ArmError as error:
            self._bear(error, screen)
            return None
        if self._lost_since:
            screen.line(f"{self._clock()}  Azure answers again")
        self._lost_since = 0.0
        return deployment

    def _bear(self, error: ArmError, screen: Screen) -> None:
        """Wait for a connection, and for a server that is out of order; not for refusals."""
        if not (error.is_lost_connection or error.status >= 500):
            raise error
        now = time.monotonic()
        if not self._lost_since:
            self._lost_since = now
            screen.line(f"{self._clock()}  no answer from Azure ({error.text}); trying again")
        if now - self._lost_since > PATIENCE_SECONDS:
            raise error

    def _steps(self, deployment: str) -> Iterator[Step]:
        """The steps of a deployment and of the modules inside it."""
        for operation in self._arm.operations(deployment):
            properties = operation["properties"]
            target = properties.get("targetResource") or {}
            if "id" not in target:
                continue
            step = Step(target["id"], properties["provisioningState"], _error(properties))
            if step.is_deployment and step.id not in self._finished_modules:
                yield from self._inside(step)
            yield step

    def _inside(self, step: Step) -> Iterator[Step]:
        try:
            yield from self._steps(step.id)
        except ArmError as error:
            # A module that has only just begun is not known everywhere yet.
            if not error.is_missing:
                raise
        if step.state not in RUNNING:
            self._finished_modules.add(step.id)

    def _tell(self, step: Step, screen: Screen) -> None:
        if self._states.get(step.id) == step.state:
            return
        self._states[step.id] = step.state
        if step.is_deployment:
            return
        word = WORDS.get(step.state, step.state.lower())
        screen.line(f"{self._clock()}  {word:9} {type_of(step.id)}  {name_of(step.id)}")
        if step.state == "Failed":
            for fault in causes.innermost(step.error, step.id):
                self._failures[step.id] = fault
                screen.line(f"{'':8}{fault.code}: {fault.message}")

    def _now(self) -> str:
        busy = [
            name_of(id_) for id_, now in self._states.items() if now in RUNNING and _is_own(id_)
        ]
        done = sum(now == "Succeeded" for id_, now in self._states.items() if _is_own(id_))
        names = ", ".join(busy[:3]) + (f" and {len(busy) - 3} more" if len(busy) > 3 else "")
        return f"{self._clock()}  {done} done; working on: {names or '…'}"

    def _clock(self) -> str:
        seconds = int(time.monotonic() - self._began)
        return f"{seconds // 60:3}:{seconds % 60:02}"


def _is_own(id_: str) -> bool:
    return type_of(id_).lower() != DEPLOYMENT


def _error(properties: Json) -> Json:
    message = properties.get("statusMessage") or {}
    if isinstance(message, str):
        return {"code": properties.get("statusCode", "Failed"), "message": message}
    return dict(message.get("error") or message)
