"""What-if as a diff that can be read: what is new, what changes and how, what goes, what stays."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from portal.infra.ids import name_of, type_of
from portal.infra.parameters import MASK

Json = dict[str, Any]

SIGNS = {"Create": "+", "Deploy": "+", "Modify": "~", "Delete": "-"}
# What providers add or renumber by themselves; a template never sets it.
NOISE = {"etag", "provisioningState", "resourceGuid", "systemData", "createdTime", "changedTime",
         "resourceState", "lastModifiedTimeUtc", "instrumentationKey", "kind"}  # fmt: skip
SECRET_TYPES = {"microsoft.keyvault/vaults/secrets"}
SECRET_WORDS = ("password", "secretvalue", "connectionstring", "sharedkey", "accountkey")
# To Azure they are the same.
EMPTY: tuple[Any, ...] = (None, "", [], {})
LONGEST = 160
WIDTH, INDENT = 96, "    "
# Properties of one resource that are shown; Azure compares lists by position.
SHOWN = 12


@dataclass(frozen=True)
class Property:
    """One property that changes; None: it is not there."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Change:
    """What happens to one resource: `sign` is + ~ - = or ? (Azure cannot say)."""

    sign: str
    id: str
    properties: list[Property] = field(default_factory=list)
    reason: str = ""

    @property
    def type(self) -> str:
        """Like Microsoft.KeyVault/vaults."""
        return type_of(self.id)

    @property
    def name(self) -> str:
        """The name; a child's begins with its parent's."""
        return name_of(self.id)


class Changes:
    """What a deployment would change. `secrets` are values that are never shown."""

    def __init__(self, what_if: Json, secrets: set[str]) -> None:
        self._secrets = secrets
        found = what_if.get("properties", what_if).get("changes") or []
        self.all = sorted(map(self._read, found), key=lambda one: (one.type.lower(), one.name))

    def __bool__(self) -> bool:
        return any(change.sign in "+~-?" for change in self.all)

    def count(self) -> Counter[str]:
        """How many of each sign."""
        return Counter(change.sign for change in self.all)

    def lines(self, *, is_full: bool = False) -> Iterator[str]:
        """The diff; what stays as it is is only counted. Full: each property, however many."""
        for type_, names in self._created().items():
            yield f"+ {type_}  ({len(names)})" if len(names) > 1 else f"+ {type_}  {names[0]}"
            if len(names) > 1:
                yield from wrap(", ".join(names), WIDTH, initial_indent=INDENT,
                                subsequent_indent=INDENT, break_on_hyphens=False)  # fmt: skip
        for change in self.all:
            if change.sign in "~-?":
                yield f"{change.sign} {change.type}  {change.name}"
                details = list(self._details(change))
                shown = details if is_full else details[:SHOWN]
                yield from (f"{INDENT}{line}" for line in shown)
                if len(details) > len(shown):
                    yield f"{INDENT}… and {len(details) - len(shown)} more properties"
        yield ""
        yield self.summary()

    def _created(self) -> dict[str, list[str]]:
        """The names of what is new, by type."""
        found: dict[str, list[str]] = {}
        for change in self.all:
            if change.sign == "+":
                found.setdefault(change.type, []).append(change.name)
        return found

    def summary(self) -> str:
        """One line of numbers."""
        count = self.count()
        words = {"+": "to create", "~": "to change", "-": "to delete", "=": "unchanged"}
        text = ", ".join(f"{sign} {count[sign]} {word}" for sign, word in words.items())
        if count["?"]:
            text += f", ? {count['?']} that Azure cannot foresee"
        if count["*"]:
            text += f", {count['*']} others in the group are left alone"
        return text

    def json(self) -> list[Json]:
        """The same for machines."""
        return [
            {
                "change": change.sign,
                "id": change.id,
                "properties": [
                    {"path": one.path, "before": one.before, "after": one.after}
                    for one in change.properties
                ],
            }
            for change in self.all
            if change.sign != "*"
        ]

    def _details(self, change: Change) -> Iterator[str]:
        if change.reason:
            yield change.reason
        for one in change.properties:
            yield f"{one.path}: {_shown(one.before)} → {_shown(one.after)}"

    def _read(self, change: Json) -> Change:
        kind, id_ = str(change["changeType"]), str(change["resourceId"])
        if kind == "Ignore":
            return Change("*", id_)
        if kind == "Unsupported":
            return Change("?", id_, reason=str(change.get("unsupportedReason") or ""))
        properties = [
            self._without_secret(one, id_)
            for one in _flat(change.get("delta") or [], "")
            if not _is_noise(one)
        ]
        if kind == "NoChange" or (kind == "Modify" and not properties):
            return Change("=", id_)
        return Change(SIGNS.get(kind, "?"), id_, properties if kind == "Modify" else [])

    def _without_secret(self, one: Property, id_: str) -> Property:
        path = one.path.lower()
        is_secret = type_of(id_).lower() in SECRET_TYPES and path.endswith("value")
        is_secret = is_secret or any(word in path for word in SECRET_WORDS)
        before, after = (
            MASK if value and (is_secret or self._is_known(value)) else value
            for value in (one.before, one.after)
        )
        return Property(one.path, before, after)

    def _is_known(self, value: Any) -> bool:
        text = value if isinstance(value, str) else json.dumps(value)
        return any(secret in text for secret in self._secrets)


def _flat(delta: list[Json], above: str) -> Iterator[Property]:
    """The changed properties with their full paths; elements of arrays as [number]."""
    for entry in delta:
        kind, step = entry.get("propertyChangeType"), str(entry.get("path", ""))
        path = _join(above, step)
        if kind == "NoEffect":
            continue
        if children := entry.get("children"):
            yield from _flat(children, path)
        elif entry.get("before") != entry.get("after"):
            yield Property(path, entry.get("before"), entry.get("after"))


def _join(above: str, step: str) -> str:
    if step.isdigit():
        return f"{above}[{step}]"
    return f"{above}.{step}" if above and step else above or step


def _is_noise(one: Property) -> bool:
    last = one.path.rpartition(".")[2]
    return last in NOISE or (one.before in EMPTY and one.after in EMPTY)


def _shown(value: Any) -> str:
    if value is None:
        return "(none)"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
