"""Parameters of the template: from files and the command line, checked before Azure sees them."""

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

Json = dict[str, Any]

SECURE = {"securestring", "secureobject"}
TYPES: dict[str, tuple[type, ...]] = {
    "array": (list,),
    "bool": (bool,),
    "int": (int,),
    "object": (dict,),
    "secureobject": (dict,),
    "securestring": (str,),
    "string": (str,),
}
MASK = "(secret)"
# Of a shorter secret every other word would be masked.
SHORTEST = 4


class ParametersError(Exception):
    """The parameters do not fit the template; the text names each one and what is wrong."""


class Parameters:
    """Values for one template; `given` says which the operator gave on the command line.

    A value is an entry as in a parameter file: ``{"value": …}``, or a ``{"reference": …}`` to a
    secret in a vault, which Azure fetches.
    """

    def __init__(self, template: Json) -> None:
        self.declared: Json = template.get("parameters", {})
        self.entries: dict[str, Json] = {}
        self.given: set[str] = set()

    def read(self, file: Path) -> None:
        """Take the values of a parameter file; they replace earlier ones."""
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise ParametersError(f"{file}: {error.strerror}") from error
        except (ValueError, RecursionError) as error:
            raise ParametersError(f"{file} is no JSON: {error}") from error
        entries = content.get("parameters") if isinstance(content, dict) else None
        if not isinstance(entries, dict):
            raise ParametersError(f"{file} is no parameter file: it has no `parameters`")
        for name, entry in entries.items():
            if not isinstance(entry, dict) or not entry.keys() & {"value", "reference"}:
                raise ParametersError(f"{file}: {name} has neither `value` nor `reference`")
            self.entries[self._name(name)] = entry

    def assign(self, assignment: str) -> None:
        """Take ``name=value`` of the command line; ``name=@file`` reads the value from a file."""
        name, sign, text = assignment.partition("=")
        if not sign:
            raise ParametersError(f"--set {assignment}: write it as name=value")
        name = self._name(name.strip())
        if text.startswith("@"):
            text = _content(Path(text[1:]), name)
        self.put(name, _parse(name, text, self.type_of(name)))

    def put(self, name: str, value: Any) -> None:
        """Give one value, over that of any file."""
        self.entries[name] = {"value": value}
        self.given.add(name)

    def value(self, name: str, default: Any = None) -> Any:
        """The value; else the template's default where that is plain; else `default`.

        None for one that Azure works out: an expression, or a secret in a vault.
        """
        if name in self.entries:
            return self.entries[name].get("value")
        found = self.declared.get(name, {}).get("defaultValue", default)
        return default if isinstance(found, str) and found.startswith("[") else found

    def type_of(self, name: str) -> str:
        """The declared type, in small letters."""
        return str(self.declared[name]["type"]).lower()

    @property
    def secrets(self) -> set[str]:
        """Values that must never be shown."""
        return {
            str(entry["value"])
            for name, entry in self.entries.items()
            if self.type_of(name) in SECURE and len(str(entry.get("value", ""))) >= SHORTEST
        }

    def check(self, *, is_complete: bool = True) -> None:
        """Raise ParametersError where Azure would refuse a value; and, when complete, lack one."""
        wrong = [text for name in self.entries for text in self._wrong(name)]
        if is_complete:
            wrong += self._missing()
        if wrong:
            raise ParametersError("\n".join(wrong))

    def lines(self) -> Iterator[str]:
        """What was given, one line each; secrets are named and not shown."""
        for name in sorted(self.entries):
            yield f"{name} = {self._shown(name)}"

    def _shown(self, name: str) -> str:
        entry = self.entries[name]
        if "reference" in entry:
            return f"(secret {entry['reference'].get('secretName', '')} of a vault)"
        if self.type_of(name) in SECURE:
            return MASK if entry["value"] else "(empty)"
        value = entry["value"]
        return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)

    def _name(self, name: str) -> str:
        if name in self.declared:
            return name
        near = get_close_matches(name, self.declared, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ParametersError(f"The template has no parameter {name}{hint}")

    def _wrong(self, name: str) -> Iterator[str]:
        entry = self.entries[name]
        if "value" in entry:
            yield from _wrong(name, self.declared[name], entry["value"])

    def _missing(self) -> list[str]:
        return [
            f"{name} is missing: {_description(declared)}"
            for name, declared in self.declared.items()
            if name not in self.entries and "defaultValue" not in declared
        ]


def _description(declared: Json) -> str:
    return str(declared.get("metadata", {}).get("description", declared["type"]))


def _wrong(name: str, declared: Json, value: Any) -> Iterator[str]:
    """What is wrong with a value: its type, or the first limit that it breaks."""
    type_ = str(declared["type"]).lower()
    shown = MASK if type_ in SECURE else json.dumps(value, ensure_ascii=False)
    if not isinstance(value, TYPES[type_]) or (type_ == "int" and isinstance(value, bool)):
        yield f"{name} must be of the type {declared['type']}, not {shown}"
        return
    allowed = declared.get("allowedValues")
    if allowed is not None and value not in allowed:
        yield f"{name} is {shown}; it may be {', '.join(map(str, allowed))}"
    yield from _beyond(f"{name} is {shown}; it must be", declared, value)


def _beyond(start: str, declared: Json, value: Any) -> Iterator[str]:
    """The limits that a number, or the length of anything else, breaks."""
    size, unit = (value, "") if isinstance(value, int) else (len(value), " long")
    for limit in ("minValue", "minLength"):
        if size < declared.get(limit, size):
            yield f"{start} at least {declared[limit]}{unit}"
    for limit in ("maxValue", "maxLength"):
        if size > declared.get(limit, size):
            yield f"{start} at most {declared[limit]}{unit}"


def _parse(name: str, text: str, type_: str) -> Any:
    """The value that a text of the command line means for this type."""
    if type_ in {"string", "securestring"}:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ParametersError(f"--set {name}: {type_} must be written as JSON: {error}") from error


def _content(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ParametersError(f"--set {name}: {path}: {error.strerror}") from error


def collect(
    template: Json, files: Iterable[Path], assignments: Iterable[str], location: str = ""
) -> Parameters:
    """Everything that the operator gave; the later wins, the command line over files."""
    parameters = Parameters(template)
    for file in files:
        parameters.read(file)
    for assignment in assignments:
        parameters.assign(assignment)
    if location and "location" in parameters.declared:
        parameters.put("location", location)
    parameters.check(is_complete=False)
    return parameters
