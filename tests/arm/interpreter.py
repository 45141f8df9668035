"""Values of a template: every expression in a piece of JSON is evaluated, every `copy` unrolled."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tests.arm import context
from tests.arm.expressions import (
    Access,
    Call,
    Literal,
    Node,
    TemplateError,
    is_expression,
    parse,
    unescape,
)
from tests.arm.functions import FUNCTIONS, need_bool

if TYPE_CHECKING:
    from tests.arm.deployments import Deployment


@dataclass(frozen=True)
class Scope:
    """What an expression can see: its deployment, the loops around it, a lambda's variables."""

    deployment: "Deployment"
    loops: Mapping[str, int] = field(default_factory=dict)
    loop: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    references: set[str] = field(default_factory=set)

    def within(self, loop: str, index: int, *, is_nameless: bool = False) -> "Scope":
        """The same, inside one turn of a loop.

        copyIndex() without a name means the resource's loop (or an output's), never a property's.
        """
        name = loop if is_nameless else self.loop
        return replace(self, loops={**self.loops, loop: index}, loop=name)

    def value(self, json: Any) -> Any:
        """This JSON with all its expressions evaluated."""
        if isinstance(json, str):
            return self.run(parse(json)) if is_expression(json) else unescape(json)
        if isinstance(json, list):
            return [self.value(item) for item in json]
        if isinstance(json, dict):
            return self._object(json)
        return json

    def _object(self, json: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, item in json.items():
            if key == "copy" and isinstance(item, list):
                result.update({loop["name"]: self.turns(loop) for loop in item})
            else:
                result[self.value(key)] = self.value(item)
        return result

    def turns(self, loop: dict[str, Any], *, is_nameless: bool = False) -> list[Any]:
        """What a copy of a property, variable or output makes."""
        turns = (
            self.within(loop["name"], index, is_nameless=is_nameless)
            for index in range(self.count(loop))
        )
        return [turn.value(loop["input"]) for turn in turns]

    def count(self, loop: dict[str, Any]) -> int:
        """How many turns a loop takes."""
        count = self.value(loop["count"])
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 800:
            raise TemplateError(f"the loop {loop.get('name')} cannot have {count!r} turns")
        return count

    def run(self, node: Node) -> Any:
        """The value of a syntax tree."""
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Access):
            return self._access(node)
        return self._call(node)

    def _access(self, node: Access) -> Any:
        target, key = self.run(node.target), self.run(node.key)
        if isinstance(target, dict) and isinstance(key, str):
            for name, value in target.items():
                if name.lower() == key.lower():
                    return value
        if isinstance(target, list) and isinstance(key, int) and 0 <= key < len(target):
            return target[key]
        if node.safe:
            return None
        raise TemplateError(f"there is no {key!r} in {str(target)[:200]}")

    def _call(self, node: Call) -> Any:
        name = node.name.lower()
        if name == "if":
            return self._choose(*node.arguments)
        if name == "lambda":
            return self._lambda(node)
        arguments = [self.run(argument) for argument in node.arguments]
        if name in context.FUNCTIONS:
            return context.FUNCTIONS[name](self, *arguments)
        if name not in FUNCTIONS:
            raise TemplateError(f"the function {node.name} is not known")
        try:
            return FUNCTIONS[name](*arguments)
        except (TypeError, AttributeError, KeyError, IndexError) as error:
            raise TemplateError(f"{node.name}() cannot take {arguments}: {error}") from error

    def _choose(self, condition: Node, yes: Node, no: Node) -> Any:
        """Only the branch that is needed is evaluated, as the reference of if() says."""
        return self.run(yes if need_bool(self.run(condition)) else no)

    def _lambda(self, node: Call) -> Any:
        *names, body = node.arguments
        keys = [str(self.run(name)) for name in names]

        def call(*values: Any) -> Any:
            pairs = dict(zip(keys, values, strict=True))
            return replace(self, variables={**self.variables, **pairs}).run(body)

        return call
