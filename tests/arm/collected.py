"""Template functions over arrays and objects."""

from collections.abc import Callable
from typing import Any

from tests.arm.expressions import TemplateError


def union(*parts: Any) -> Any:
    """Arrays without repetition, or objects merged into each other; the last one wins."""
    if all(isinstance(part, list) for part in parts):
        found: list[Any] = []
        for item in (item for part in parts for item in part):
            if item not in found:
                found.append(item)
        return found
    if not all(isinstance(part, dict) for part in parts):
        raise TemplateError("union() takes arrays or objects, not both")
    merged: dict[str, Any] = {}
    for part in parts:
        merged = _merge(merged, part)
    return merged


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merge(result[key], value) if both else value
    return result


def intersection(first: Any, *others: Any) -> Any:
    """What is in all of them."""
    if isinstance(first, list):
        return [item for item in first if all(item in other for other in others)]
    return {
        key: value
        for key, value in first.items()
        if all(key in other and other[key] == value for other in others)
    }


def contains(container: Any, item: Any) -> bool:
    """A text in a text, a key of an object, an element of an array."""
    if isinstance(container, dict):
        return str(item).lower() in {key.lower() for key in container}
    if isinstance(container, list):
        return any(type(other) is type(item) and other == item for other in container)
    if isinstance(container, str) and isinstance(item, str):
        return item in container
    raise TemplateError(f"contains() cannot look into {container!r}")


def empty(value: Any) -> bool:
    """Whether nothing is in it."""
    if value is not None and not isinstance(value, (str, list, dict)):
        raise TemplateError(f"empty() cannot look into {value!r}")
    return not value


def length(value: Any) -> int:
    """Characters, elements or properties."""
    if not isinstance(value, (str, list, dict)):
        raise TemplateError(f"{value!r} has no length")
    return len(value)


def create_object(*pairs: Any) -> dict[str, Any]:
    """An object of names and values in turn."""
    if len(pairs) % 2:
        raise TemplateError("createObject() takes names and values in pairs")
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


def first(value: Any) -> Any:
    """The first element; null (of a text: empty) where there is none."""
    return value[0] if value else "" if isinstance(value, str) else None


def last(value: Any) -> Any:
    """The last element; null (of a text: empty) where there is none."""
    return value[-1] if value else "" if isinstance(value, str) else None


def items(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The pairs of an object, sorted by key."""
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def flatten(value: list[Any]) -> list[Any]:
    """The elements of the elements."""
    return [inner for item in value for inner in item]


def extreme(choose: Callable[..., int]) -> Callable[..., int]:
    """min or max over an array or over arguments."""
    return lambda *values: choose(values[0] if isinstance(values[0], list) else values)


def try_get(value: Any, *keys: Any) -> Any:
    """The property or element at the end of this path; null where it breaks off."""
    for key in keys:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return None
    return value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "array": lambda value: value if isinstance(value, list) else [value],
    "contains": contains,
    "createarray": lambda *values: list(values),
    "createobject": create_object,
    "empty": empty,
    "first": first,
    "flatten": flatten,
    "intersection": intersection,
    "items": items,
    "last": last,
    "length": length,
    "max": extreme(max),
    "min": extreme(min),
    "objectkeys": sorted,
    "range": lambda start, count: list(range(start, start + count)),
    "shallowmerge": lambda parts: {key: item for part in parts for key, item in part.items()},
    "skip": lambda value, count: value[max(count, 0) :],
    "take": lambda value, count: value[: max(count, 0)],
    "tryget": try_get,
    "union": union,
}
