"""Template functions over texts, and the few that take texts and arrays alike."""

import re
from collections.abc import Callable
from typing import Any

from tests.arm.expressions import TemplateError


def text(value: Any) -> str:
    """The value itself, which must be a text."""
    if not isinstance(value, str):
        raise TemplateError(f"{value!r} is no text")
    return value


def concat(*parts: Any) -> Any:
    """Texts (and numbers, booleans among them), or arrays, one after the other."""
    if any(isinstance(part, list) for part in parts):
        if not all(isinstance(part, list) for part in parts):
            raise TemplateError("concat() takes texts or arrays, not both")
        return [item for part in parts for item in part]
    return "".join(_simple(part) for part in parts)


def _simple(value: Any) -> str:
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise TemplateError(f"{value!r} is no simple value")


def format_(pattern: str, *values: Any) -> str:
    """The pattern with {0}, {1} … replaced; {0:D2} pads a number with zeros."""

    def place(match: re.Match[str]) -> str:
        if match[0] in {"{{", "}}"}:
            return match[0][0]
        index, style = int(match["index"]), match["style"] or ""
        if index >= len(values):
            raise TemplateError(f"format() has no value {index} for {pattern!r}")
        value = values[index]
        if style[:1].upper() == "D" and isinstance(value, int):
            return str(value).zfill(int(style[1:] or 1))
        if style:
            raise TemplateError(f"the format {style!r} is not known")
        return _simple("" if value is None else value)

    return re.sub(r"\{\{|\}\}|\{(?P<index>\d+)(?::(?P<style>\w+))?\}", place, text(pattern))


def substring(value: str, start: int, length: int | None = None) -> str:
    """A part of the text, which must reach that far."""
    end = len(text(value)) if length is None else start + length
    if start < 0 or end > len(value) or end < start:
        raise TemplateError(f"substring({value!r}, {start}, {length}) is outside the text")
    return value[start:end]


def split(value: str, delimiters: str | list[str]) -> list[str]:
    """The parts between any of the delimiters."""
    signs = [delimiters] if isinstance(delimiters, str) else delimiters
    return re.split("|".join(re.escape(sign) for sign in signs), text(value))


def trim(value: str) -> str:
    """The text without white space at its ends."""
    return text(value).strip()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "concat": concat,
    "endswith": lambda value, end: text(value).lower().endswith(text(end).lower()),
    "format": format_,
    "indexof": lambda value, part: (
        value.index(part)
        if isinstance(value, list) and part in value
        else -1
        if isinstance(value, list)
        else text(value).lower().find(text(part).lower())
    ),
    "join": lambda parts, between: text(between).join(_simple(part) for part in parts),
    "lastindexof": lambda value, part: text(value).lower().rfind(text(part).lower()),
    "padleft": lambda value, width, sign=" ": _simple(value).rjust(width, sign),
    "replace": lambda value, old, new: text(value).replace(text(old), text(new)),
    "split": split,
    "startswith": lambda value, start: text(value).lower().startswith(text(start).lower()),
    "substring": substring,
    "tolower": lambda value: text(value).lower(),
    "toupper": lambda value: text(value).upper(),
    "trim": trim,
}
