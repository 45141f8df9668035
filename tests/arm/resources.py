"""Resources of a template: as declared, and as they come out of the evaluation."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.arm.expressions import TemplateError
from tests.arm.ids import Place, nested_id, resource_id
from tests.arm.interpreter import Scope

if TYPE_CHECKING:
    from tests.arm.deployments import Deployment

DEPLOYMENTS = "Microsoft.Resources/deployments"
# What a resource says to Azure Resource Manager and not to its provider.
OWN = {"type", "apiVersion", "name", "condition", "dependsOn", "copy", "comments", "scope"}


@dataclass(frozen=True)
class Resource:
    """A resource that is deployed.

    `deployment` is the id of the deployment it is in ('' for the outermost), `references` the ids
    that reference() was asked for while it was read.
    """

    id: str
    type: str
    name: str
    api_version: str
    body: dict[str, Any]
    depends_on: tuple[str, ...]
    deployment: str
    references: tuple[str, ...]

    @property
    def properties(self) -> dict[str, Any]:
        """The part of the body that is the provider's."""
        found: dict[str, Any] = self.body.get("properties", {})
        return found


class Declared:
    """One resource of a template, one turn of its loop."""

    def __init__(
        self,
        deployment: "Deployment",
        json_: dict[str, Any],
        scope: Scope,
        *,
        parent: "Declared | None" = None,
        previous: tuple[str, ...] = (),
    ) -> None:
        self.deployment, self.json, self.scope, self.previous = deployment, json_, scope, previous
        self.type: str = json_["type"]
        self.name: str = scope.value(json_["name"])
        if parent:
            self.type, self.name = f"{parent.type}/{self.type}", f"{parent.name}/{self.name}"
        self.id = self._id()
        condition = scope.value(json_.get("condition", True))
        if not isinstance(condition, bool):
            raise TemplateError(f"the condition of {self.name} is {condition!r}")
        self.is_deployed = condition

    def _id(self) -> str:
        names = self.name.split("/")
        if "scope" in self.json:
            scope = self.deployment.place.absolute(self.scope.value(self.json["scope"]))
            return nested_id(scope, self.type, *names)
        return resource_id(self.target, self.type, *names)

    @cached_property
    def target(self) -> Place:
        """Where the resource goes: only a deployment may go to another group."""
        place = self.deployment.place
        if self.type != DEPLOYMENTS:
            return place
        subscription = self.scope.value(self.json.get("subscriptionId", place.subscription))
        group = self.scope.value(self.json.get("resourceGroup", place.group))
        return Place(subscription, group, place.location)

    @cached_property
    def body(self) -> dict[str, Any]:
        """Everything that goes to the provider, evaluated."""
        own = OWN | {"resources"} | ({"subscriptionId", "resourceGroup"} & self.json.keys())
        raw = {key: value for key, value in self.json.items() if key not in own}
        if self.type == DEPLOYMENTS:
            inner = {k: v for k, v in raw.get("properties", {}).items() if k != "template"}
            raw = {**raw, "properties": inner}
        result: dict[str, Any] = self.scope.value(raw)
        return result

    def depends_on(self) -> tuple[str, ...]:
        """The ids of what must be there before; what is not deployed counts for nothing."""
        found = list(self.previous)
        for entry in self.json.get("dependsOn", []):
            text = self.scope.value(entry)
            meant = self.deployment.find(text)
            if not meant and text not in self.deployment.loops:
                raise TemplateError(f"{self.name} depends on {text}, which the template lacks")
            found += [item.id for item in meant if item.is_deployed]
        if self.id in found:
            raise TemplateError(f"{self.name} depends on itself")
        return tuple(dict.fromkeys(found))

    def result(self, after: tuple[str, ...]) -> Resource:
        """The resource as it is deployed."""
        return Resource(
            id=self.id,
            type=self.type,
            name=self.name,
            api_version=str(self.scope.value(self.json["apiVersion"])),
            body=self.body,
            depends_on=after,
            deployment=self.deployment.id,
            references=tuple(sorted(self.scope.references)),
        )

    def deployment_arguments(self) -> dict[str, Any]:
        """What the deployment inside is made from."""
        properties = self.json["properties"]
        template, folder = properties.get("template"), self.deployment.folder
        if template is None:
            path = folder / self.scope.value(properties["templateLink"]["relativePath"])
            template, folder = json.loads(path.read_text(encoding="utf-8")), path.parent
        elif properties.get("expressionEvaluationOptions", {}).get("scope", "").lower() != "inner":
            raise TemplateError(f"{self.name}: an inline template needs the scope Inner")
        given = self.body["properties"].get("parameters", {})
        return {
            "template": template,
            "given": {name: entry["value"] for name, entry in given.items()},
            "name": self.name,
            "id_": self.id,
            "place": self.target,
            "folder": folder,
        }


def declare(
    deployment: "Deployment", json_: dict[str, Any], parent: Declared | None = None
) -> Iterator[Declared]:
    """Every turn of a resource and of its children."""
    for scope, previous in _turns(deployment, json_):
        declared = Declared(deployment, json_, scope, parent=parent, previous=previous)
        if "copy" in json_:
            deployment.loops[json_["copy"]["name"]].append(declared.id)
        yield declared
        for child in json_.get("resources", []):
            yield from declare(deployment, child, declared)


def _turns(
    deployment: "Deployment", json_: dict[str, Any]
) -> Iterator[tuple[Scope, tuple[str, ...]]]:
    """A scope for each turn, and the ids of the batch before it where the loop is serial."""
    loop = json_.get("copy")
    if loop is None:
        yield Scope(deployment), ()
        return
    done = deployment.loops.setdefault(loop["name"], [])
    size = loop.get("batchSize", 1) if loop.get("mode", "").lower() == "serial" else 0
    for index in range(Scope(deployment).count(loop)):
        start = (index // size - 1) * size if size else -1
        before = done[start : start + size] if start >= 0 else []
        scope = Scope(deployment).within(loop["name"], index, is_nameless=True)
        yield scope, tuple(before)
