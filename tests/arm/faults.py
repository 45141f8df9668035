"""Ways to break an evaluated scenario, as somebody might who edits a template."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.rules.every import complaining
from tests.arm.rules.facts import SITE, role_of
from tests.arm.scenarios import broken, scenario

Change = Callable[[Evaluated], None]
# The scenario, what is done to it, and the names of the rules that complain then.
Fault = tuple[str, Change, str]


def caught(name: str, change: Change, rules: str) -> tuple[set[str], set[str]]:
    """The rules that complain about a fault and did not before, and those that should."""
    e = broken(name)
    change(e)
    return complaining(e) - before(name), set(rules.split())


@cache
def before(name: str) -> frozenset[str]:
    """The rules that complain about a scenario as it is: none, but for a fault of its own."""
    return frozenset(complaining(scenario(name)))


def find(e: Evaluated, type_: str, part: str = "") -> list[Resource]:
    """The resources of a type whose id, with `$` at its end, holds this part; at least one."""
    found = [one for one in e.of(type_) if part in f"{one.id}$"]
    if not found:
        raise LookupError(f"no {type_} with {part!r}")
    return found


def put(type_: str, path: str, value: Any, part: str = "") -> Change:
    """Set a property (dotted path in the body; numbers are places in lists)."""

    def change(e: Evaluated) -> None:
        for one in find(e, type_, part):
            *steps, last = path.split(".")
            target: Any = one.body
            for step in steps:
                target = target[int(step)] if step.isdigit() else target.setdefault(step, {})
            target[int(last) if last.isdigit() else last] = value

    return change


def edit(type_: str, path: str, how: Callable[[Any], Any], part: str = "") -> Change:
    """Replace a value (dotted path in the body) by what `how` makes of it."""

    def change(e: Evaluated) -> None:
        for one in find(e, type_, part):
            target: Any = one.body
            for step in path.split("."):
                target = target[int(step)] if step.isdigit() else target[step]
            put(type_, path, how(target), f"{one.id}$")(e)

    return change


def drop(type_: str, part: str = "") -> Change:
    """Leave resources out."""

    def change(e: Evaluated) -> None:
        for one in find(e, type_, part):
            e.resources.remove(one)

    return change


def add(type_: str, name: str, properties: dict[str, Any], scope: str = "") -> Change:
    """Add a resource; the scope of an extension is the type of what it belongs to."""

    def change(e: Evaluated) -> None:
        base = find(e, scope)[0].id if scope else e.place.group_id
        id_ = f"{base}/providers/{type_}/{name}"
        e.resources.append(Resource(id_, type_, name, "", {"properties": properties}, (), "", ()))

    return change


def forget(type_: str, part: str = "", *, to: str = "") -> Change:
    """Take out of dependsOn whatever holds `to`."""

    def change(e: Evaluated) -> None:
        for one in find(e, type_, part):
            kept = tuple(id_ for id_ in one.depends_on if to not in id_)
            if kept == one.depends_on:
                raise LookupError(f"{one.name} does not wait for {to!r}")
            e.resources[e.resources.index(one)] = replace(one, depends_on=kept)

    return change


def setting(role: str, name: str, value: str | None) -> Change:
    """Give a site's app setting another value; None leaves it out."""

    def change(e: Evaluated) -> None:
        for site in find(e, SITE):
            if role_of(site) == role:
                listed = site.properties["siteConfig"]["appSettings"]
                listed[:] = [entry for entry in listed if entry["name"] != name]
                if value is not None:
                    listed.append({"name": name, "value": value})

    return change


def output(name: str, value: Any) -> Change:
    """Give an output another value."""
    return lambda e: e.outputs.update({name: value})


def without(rule: str) -> Callable[[list[dict[str, Any]]], list[dict[str, Any]]]:
    """A list of named things without this one."""
    return lambda listed: [entry for entry in listed if entry["name"] != rule]


def cut(keep: Callable[[dict[str, Any]], bool]) -> Callable[[list[dict[str, Any]]], Any]:
    """A list with only the entries that are to be kept."""
    return lambda listed: [entry for entry in listed if keep(entry)]
