"""Parameters of a template: defaults, types and limits, checked as Azure Resource Manager does."""

import json
from pathlib import Path
from typing import Any

from tests.arm.expressions import TemplateError

TYPES: dict[str, type] = {
    "array": list,
    "bool": bool,
    "int": int,
    "object": dict,
    "secureobject": dict,
    "securestring": str,
    "string": str,
}
LIMITS = {"minLength", "maxLength", "minValue", "maxValue"}


def check(name: str, declared: dict[str, Any], value: Any) -> None:
    """Raise TemplateError where the value does not fit the declaration."""
    check_type(f"parameter {name}", declared["type"], value)
    allowed = declared.get("allowedValues")
    if allowed is not None:
        chosen = value if isinstance(value, list) else [value]
        if any(item not in allowed for item in chosen):
            raise TemplateError(f"parameter {name} is {value!r}, none of {allowed}")
    size = value if isinstance(value, int) else len(value)
    for limit in LIMITS & declared.keys():
        too_far = size < declared[limit] if limit.startswith("min") else size > declared[limit]
        if too_far:
            raise TemplateError(f"parameter {name} breaks {limit} {declared[limit]}")


def check_type(what: str, type_: str, value: Any) -> None:
    """Raise TemplateError where the value is of another type."""
    wanted = TYPES.get(type_.lower())
    if wanted is None:
        raise TemplateError(f"{what}: the type {type_} is not known")
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise TemplateError(f"{what} must be {type_}, not {value!r}")


def check_given(declared: dict[str, Any], given: dict[str, Any]) -> None:
    """Raise TemplateError where a parameter is not declared, or a needed one is not given."""
    if unknown := sorted(given.keys() - declared.keys()):
        raise TemplateError(f"parameters that the template does not know: {unknown}")
    needed = {name for name, entry in declared.items() if "defaultValue" not in entry}
    if missing := sorted(needed - given.keys()):
        raise TemplateError(f"parameters without a value: {missing}")


def read_file(path: Path) -> dict[str, Any]:
    """The values of a parameter file; what it takes from a vault becomes a text that says so."""
    entries = json.loads(path.read_text(encoding="utf-8"))["parameters"]
    return {
        name: entry.get("value", f"<from the vault for {name}>") for name, entry in entries.items()
    }
