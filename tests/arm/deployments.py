"""One template being deployed: its names, its resources, and the deployments inside it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.arm import parameters, references
from tests.arm.expressions import TemplateError
from tests.arm.ids import Place, type_of
from tests.arm.interpreter import Scope
from tests.arm.resources import DEPLOYMENTS, Declared, Resource, declare

World = dict[str, Resource]
PARTS = {"$schema", "contentVersion", "parameters", "variables", "resources", "outputs"}


class Deployment:
    """A template with its parameters, at its place; evaluated piece by piece, when asked."""

    def __init__(
        self,
        template: dict[str, Any],
        given: dict[str, Any],
        *,
        name: str,
        id_: str,
        place: Place,
        folder: Path,
        world: World,
    ) -> None:
        self.template, self.given, self.name, self.id = template, given, name, id_
        self.place, self.folder, self.world = place, folder, world
        self.declared: dict[str, Declared] = {}
        self.loops: dict[str, list[str]] = {}
        self._values: dict[str, Any] = {}
        self._pending: set[str] = set()
        self._is_run = False
        self._outputs: dict[str, dict[str, Any]] = {}
        if other := sorted(template.keys() - PARTS - {"metadata"}):
            raise TemplateError(f"{name}: the evaluator does not know {other} of a template")
        parameters.check_given(template.get("parameters", {}), given)

    def parameter(self, name: str) -> Any:
        """The value of a parameter: the given one or the default."""
        declared = self.template.get("parameters", {})
        if name not in declared:
            raise TemplateError(f"{self.name}: there is no parameter {name}")

        def find() -> Any:
            entry = declared[name]
            value = self.given[name] if name in self.given else self._value(entry["defaultValue"])
            parameters.check(name, entry, value)
            return value

        return self._once(f"parameter {name}", find)

    def variable(self, name: str) -> Any:
        """The value of a variable."""
        declared = self.template.get("variables", {})
        loops = {loop["name"]: loop for loop in declared.get("copy", [])}
        if name in loops:
            return self._once(f"variable {name}", lambda: Scope(self).turns(loops[name]))
        if name not in declared or name == "copy":
            raise TemplateError(f"{self.name}: there is no variable {name}")
        return self._once(f"variable {name}", lambda: self._value(declared[name]))

    def _value(self, json: Any) -> Any:
        return Scope(self).value(json)

    def _once(self, key: str, find: Callable[[], Any]) -> Any:
        """Remember a value; refuse one that needs itself."""
        if key not in self._values:
            if key in self._pending:
                raise TemplateError(f"{self.name}: {key} needs itself")
            self._pending.add(key)
            self._values[key] = find()
            self._pending.discard(key)
        return self._values[key]

    def run(self) -> None:
        """Evaluate everything; the resources that are deployed go into the world."""
        if self._is_run:
            return
        self._is_run = True
        self._check_names()
        for declared in self._declare():
            if self.declared.setdefault(declared.id.lower(), declared) is not declared:
                raise TemplateError(f"{self.name}: {declared.id} is declared twice")
        for declared in list(self.declared.values()):
            self._finish(declared)
        self._outputs = dict(self._read_outputs())

    def _check_names(self) -> None:
        for name in self.template.get("parameters", {}):
            self.parameter(name)
        variables = self.template.get("variables", {})
        for name in [*variables, *(loop["name"] for loop in variables.get("copy", []))]:
            if name != "copy":
                self.variable(name)

    def _declare(self) -> Iterator[Declared]:
        for json in self.template.get("resources", []):
            yield from declare(self, json)

    def _finish(self, declared: Declared) -> None:
        """Evaluate a resource, and the deployment inside it; what is not deployed is only read."""
        self.body_of(declared)
        after = declared.depends_on()
        if not declared.is_deployed:
            return
        self.world[declared.id.lower()] = declared.result(after)
        if declared.type == DEPLOYMENTS:
            self.nested(declared)

    def body_of(self, declared: Declared) -> dict[str, Any]:
        """The evaluated body of a resource of this template."""

        def find() -> Any:
            return self._once(f"resource {declared.id}", lambda: declared.body)

        body: dict[str, Any] = with_place(self, declared, find)
        return body

    def nested(self, declared: Declared) -> "Deployment":
        """The deployment that this resource is, run."""

        def find() -> Deployment:
            deployment = Deployment(**declared.deployment_arguments(), world=self.world)
            deployment.run()
            return deployment

        found: Deployment = with_place(
            self, declared, lambda: self._once(f"deployment {declared.id}", find)
        )
        return found

    def find(self, text: str) -> list[Declared]:
        """The resources here that an id, a `type/name`, a name or a loop's name means."""
        if text in self.loops:
            return [self.declared[id_.lower()] for id_ in self.loops[text]]
        exact = self.declared.get(self.place.absolute(text).lower())
        if exact or text.startswith("/"):
            return [exact] if exact else []
        return [item for item in self.declared.values() if item.name.lower() == text.lower()]

    def reference(self, scope: Scope, target: str, version: str = "", full: str = "") -> Any:
        """What reference() gives: properties of a resource here, elsewhere, or there before."""
        found = self.find(target)
        if len(found) > 1:
            raise TemplateError(f"reference({target!r}) could mean several resources")
        id_ = found[0].id if found else target
        scope.references.add(id_)
        if found and not found[0].is_deployed:
            raise TemplateError(f"reference({target!r}): its condition is false")
        if not found and not (version and id_.startswith("/")):
            raise TemplateError(f"reference({target!r}) is none of the template: no version, no id")
        body = self.body_of(found[0]) if found else self._known(id_)
        if type_of(id_) == DEPLOYMENTS:
            return {"outputs": self._outputs_of(id_, found), "provisioningState": "Succeeded"}
        tell = references.whole if full.lower() == "full" else references.properties_of
        return tell(id_, body, self.place)

    def _outputs_of(self, id_: str, found: list[Declared]) -> dict[str, dict[str, Any]]:
        if not found:
            raise TemplateError(f"outputs of {id_} are read outside of its template")
        return self.nested(found[0]).outputs()

    def _known(self, id_: str) -> dict[str, Any]:
        known = self.world.get(id_.lower())
        return known.body if known else {}

    def outputs(self) -> dict[str, dict[str, Any]]:
        """Type and value of every output whose condition holds."""
        return self._outputs

    def _read_outputs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for name, entry in self.template.get("outputs", {}).items():
            if not self._value(entry.get("condition", True)):
                continue
            loop = {"name": name, **entry["copy"]} if "copy" in entry else None
            value = (
                Scope(self).turns(loop, is_nameless=True) if loop else self._value(entry["value"])
            )
            parameters.check_type(f"{self.name}: output {name}", entry["type"], value)
            yield name, {"type": entry["type"], "value": value}


def with_place(deployment: Deployment, declared: Declared, read: Callable[[], Any]) -> Any:
    """The value, or an error that says in which resource it stands."""
    try:
        return read()
    except TemplateError as error:
        where = f"{deployment.name}: {declared.type} {declared.name}"
        raise TemplateError(f"{where}: {error}") from error
