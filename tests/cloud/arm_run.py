"""One deployment as time passes: what has begun, what is done, what failed."""

import math
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.ids import name_of
from tests.arm.resources import DEPLOYMENTS
from tests.cloud.arm_answers import Json, deployment_failed, in_a_text, nested_failed

CORRELATION = "0d6c7d3f-2f11-4d39-9a40-9c4cf0a0f2b1"


class Run:
    """A deployment with the resources that its template evaluates to, begun now.

    Each resource begins when what it depends on is done and takes `pace_seconds`. `failing` says
    which ones (by type or name) end with which error; what depends on them never begins.
    """

    def __init__(
        self, id_: str, properties: Json, result: Evaluated, pace_seconds: float, failing: Json
    ) -> None:
        self.id, self.properties, self.result = id_, properties, result
        self.pace, self.failing = pace_seconds, dict(failing)
        self.begun_at, self.wall = time.monotonic(), datetime.now(UTC)
        self.cancelled_at = math.inf
        self._by_id = {resource.id.lower(): resource for resource in result.resources}
        self._spans: dict[str, tuple[float, float]] = {}

    # ── When ───────────────────────────────────────────────────────────────────────────────────
    def span(self, resource: Resource) -> tuple[float, float]:
        """Begin and end in seconds since the start; infinite where it never begins."""
        key = resource.id.lower()
        if key not in self._spans:
            self._spans[key] = (math.inf, math.inf)
            self._spans[key] = self._find_span(resource)
        return self._spans[key]

    def _find_span(self, resource: Resource) -> tuple[float, float]:
        parent = self._by_id.get(resource.deployment.lower())
        begin = self._own_begin(parent) if parent else 0.0
        for id_ in {*resource.depends_on, *resource.references}:
            other = self._by_id.get(id_.lower())
            if other and other is not resource:
                begin = max(begin, math.inf if self.error(other) else self.span(other)[1])
        if begin >= self.cancelled_at or resource.type != DEPLOYMENTS:
            return (begin, begin + self.pace) if begin < self.cancelled_at else (math.inf, math.inf)
        ends = [self.span(child)[1] for child in self.children(resource.id)]
        return begin, max([begin + self.pace, *(end for end in ends if end < math.inf)])

    def _own_begin(self, deployment: Resource) -> float:
        """When a nested deployment begins, without looking at what is inside."""
        begin = 0.0
        for id_ in deployment.depends_on:
            other = self._by_id.get(id_.lower())
            if other:
                begin = max(begin, math.inf if self.error(other) else self.span(other)[1])
        return begin

    def children(self, deployment: str) -> list[Resource]:
        """The resources of one deployment; of the outermost with ''."""
        wanted = deployment.lower()
        return [one for one in self.result.resources if one.deployment.lower() == wanted]

    def has_begun(self, deployment: str) -> bool:
        """Whether this deployment inside it has begun."""
        found = self._by_id.get(deployment.lower())
        return bool(found and self.state_of(found))

    def error(self, resource: Resource) -> Json | None:
        """What its creation ends with, if it is to fail."""
        if resource.type == DEPLOYMENTS:
            inner = self._inner(resource.id)
            return nested_failed(resource.id, deployment_failed(*inner)) if inner else None
        own = self.failing.get(resource.type) or self.failing.get(resource.name)
        return in_a_text(own) if own else None

    def _inner(self, deployment: str) -> list[Json]:
        return [found for one in self.children(deployment) if (found := self.error(one))]

    # ── What Azure says ────────────────────────────────────────────────────────────────────────
    @cached_property
    def ends_at(self) -> float:
        """When all that begins is done."""
        ends = [self.span(one)[1] for one in self.result.resources]
        return max([0.0, *(end for end in ends if end < math.inf)])

    def cancel(self) -> None:
        """Begin nothing more."""
        self.cancelled_at = time.monotonic() - self.begun_at
        self._spans.clear()
        vars(self).pop("ends_at", None)

    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.begun_at

    @property
    def state(self) -> str:
        """Of the whole deployment."""
        if self.elapsed() < self.ends_at:
            return "Running"
        if self.cancelled_at < math.inf:
            return "Canceled"
        return "Failed" if self._inner("") else "Succeeded"

    def state_of(self, resource: Resource) -> str:
        """Of one resource; '' where it has not begun."""
        begin, end = self.span(resource)
        if self.elapsed() < begin:
            return ""
        if self.elapsed() < end:
            return "Running"
        return "Failed" if self.error(resource) else "Succeeded"

    def made(self, now: float) -> Iterator[Json]:
        """The resources that are there by now."""
        for one in self.result.resources:
            is_done = self.begun_at + self.span(one)[1] <= now
            if one.type != DEPLOYMENTS and is_done and not self.error(one):
                body = {**one.body, "id": one.id, "name": name_of(one.id).rpartition("/")[2]}
                properties = {**one.properties, "provisioningState": "Succeeded"}
                yield {**body, "type": one.type, "properties": properties}

    def told(self) -> Json:
        """The deployment as GET shows it; secure parameters without their values."""
        given: dict[str, Any] = self.properties.get("parameters", {})
        secrets = self._secrets()
        parameters = {name: {} if name in secrets else entry for name, entry in given.items()}
        properties: Json = {
            "provisioningState": self.state,
            "correlationId": CORRELATION,
            "timestamp": self._time(self.elapsed()),
            "mode": "Incremental",
            "parameters": parameters,
        }
        if self.state == "Succeeded":
            properties["outputs"] = self._outputs()
            properties["outputResources"] = [
                {"id": one.id} for one in self.result.resources if one.type != DEPLOYMENTS
            ]
        if self.state == "Failed":
            properties["error"] = deployment_failed(*self._inner(""))
        name = self.id.rpartition("/")[2]
        return {"id": self.id, "name": name, "type": DEPLOYMENTS, "properties": properties}

    def operations(self, deployment: str) -> list[Json]:
        """What one deployment (the outermost: '') does to each of its resources, so far."""
        return [self._operation(one) for one in self.children(deployment) if self.state_of(one)]

    def _operation(self, resource: Resource) -> Json:
        state, error = self.state_of(resource), self.error(resource)
        properties: Json = {
            "provisioningOperation": "Create",
            "provisioningState": state,
            "timestamp": self._time(min(self.elapsed(), self.span(resource)[1])),
            "statusCode": {"Running": "Accepted", "Failed": "Conflict"}.get(state, "OK"),
            "targetResource": {
                "id": resource.id,
                "resourceType": resource.type,
                "resourceName": resource.name,
            },
        }
        if state == "Failed" and error:
            properties["statusMessage"] = {"status": "Failed", "error": error}
        number = f"{abs(hash(resource.id)):016X}"
        return {"id": f"{self.id}/operations/{number}", "operationId": number,
                "properties": properties}  # fmt: skip

    def _secrets(self) -> set[str]:
        declared: Json = self.properties["template"].get("parameters", {})
        return {name for name, one in declared.items() if one["type"].lower().startswith("secure")}

    def _time(self, seconds: float) -> str:
        return (self.wall + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")

    def _outputs(self) -> Json:
        types = self.result.output_types
        return {
            name: {"type": types[name], "value": value}
            for name, value in self.result.outputs.items()
        }
