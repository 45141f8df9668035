"""Functions of ARM templates that look at nothing but their arguments, by lower-case name.

Reference: learn.microsoft.com/azure/azure-resource-manager/templates/template-functions.
"""

import base64
import hashlib
import json
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urljoin

from tests.arm import collected, networks, texts
from tests.arm.expressions import TemplateError

Function = Callable[..., Any]
# A namespace for guid(); here the value only has to be stable.
NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")


def compact(value: Any) -> str:
    """JSON as Azure writes it: without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def to_text(value: Any) -> str:
    """What string() gives."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "True" if value else "False"
    return compact(value)


def to_bool(value: Any) -> bool:
    """A boolean from a text or a number."""
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    if isinstance(value, int):
        return bool(value)
    raise TemplateError(f"bool() cannot read {value!r}")


def need_bool(value: Any) -> bool:
    """The value itself, which must be a boolean."""
    if not isinstance(value, bool):
        raise TemplateError(f"{value!r} is no boolean")
    return value


def number(value: Any) -> int:
    """The value itself, which must be a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TemplateError(f"{value!r} is no whole number")
    return value


def to_int(value: Any) -> int:
    """A whole number from a text or a number."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise TemplateError(f"int() cannot read {value!r}") from None


def divide(left: Any, right: Any) -> int:
    """The quotient, cut towards zero."""
    if number(right) == 0:
        raise TemplateError("division by zero")
    return int(number(left) / right)


def unique(*parts: Any) -> str:
    """Thirteen characters that depend on the parts alone (other ones than Azure gives)."""
    if not all(isinstance(part, str) for part in parts):
        raise TemplateError(f"uniqueString() takes texts, not {parts}")
    digest = hashlib.sha256("-".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:13]


def guid(*parts: Any) -> str:
    """The same parts give the same GUID."""
    if not all(isinstance(part, str) for part in parts):
        raise TemplateError(f"guid() takes texts, not {parts}")
    return str(uuid.uuid5(NAMESPACE, "-".join(parts)))


def coalesce(*values: Any) -> Any:
    """The first that is not null."""
    return next((value for value in values if value is not None), None)


def equals(left: Any, right: Any) -> bool:
    """Equal, letters' case included, and of one type."""
    return type(left) is type(right) and bool(left == right)


def read_json(text: str) -> Any:
    """The value that a JSON text holds."""
    try:
        return json.loads(text)
    except ValueError:
        raise TemplateError(f"json() cannot read {text!r}") from None


def ordered(left: Any, right: Any) -> int:
    """Below, at or above zero, for two numbers or two texts."""
    if type(left) is not type(right) or not isinstance(left, (int, str)):
        raise TemplateError(f"cannot compare {left!r} with {right!r}")
    first, second = sorted([left, right])
    if first == second:
        return 0
    return -1 if left == first else 1


def every(*values: Any) -> bool:
    """Whether all are true. All are evaluated: a template may not rely on the first alone."""
    return all(list(map(need_bool, values)))


def some(*values: Any) -> bool:
    """Whether one is true. All are evaluated."""
    return any(list(map(need_bool, values)))


FUNCTIONS: dict[str, Function] = {
    "add": lambda left, right: number(left) + number(right),
    "and": every,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64tostring": lambda text: base64.b64decode(text).decode(),
    "bool": to_bool,
    "coalesce": coalesce,
    "div": divide,
    "equals": equals,
    "false": lambda: False,
    "float": float,
    "greater": lambda left, right: ordered(left, right) > 0,
    "greaterorequals": lambda left, right: ordered(left, right) >= 0,
    "guid": guid,
    "int": to_int,
    "json": read_json,
    "less": lambda left, right: ordered(left, right) < 0,
    "lessorequals": lambda left, right: ordered(left, right) <= 0,
    "mod": lambda left, right: number(left) - divide(left, right) * right,
    "mul": lambda left, right: number(left) * number(right),
    "not": lambda value: not need_bool(value),
    "null": lambda: None,
    "or": some,
    "string": to_text,
    "sub": lambda left, right: number(left) - number(right),
    "true": lambda: True,
    "uniquestring": unique,
    "uri": urljoin,
    "uricomponent": lambda text: quote(text, safe="~()*!'"),
    **texts.FUNCTIONS,
    **collected.FUNCTIONS,
    **networks.FUNCTIONS,
}
