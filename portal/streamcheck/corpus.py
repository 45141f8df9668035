"""The texts that are sent, from the data files of this package."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from portal.streamcheck.connection import Request

# A tenant and a conversation that need not exist: the portal refuses before it looks for them.
TENANT_PATH = "/check-stream/"
START_PATH = f"{TENANT_PATH}c/start/"
MESSAGES_PATH = f"{TENANT_PATH}c/00000000-0000-4000-8000-000000000000/messages/"
CHAT_PATHS = (START_PATH, MESSAGES_PATH)
FORM, JSON = "form", "json"

_FOLDER = Path(__file__).parent
_CONTENT_TYPES = {FORM: "application/x-www-form-urlencoded", JSON: "application/json"}


@dataclass(frozen=True)
class Prompt:
    """What somebody could write to the model."""

    id: str
    category: str
    text: str

    def requests(self) -> Iterator[tuple[str, Request]]:
        """The ways in which it can arrive, each with a name."""
        for path in CHAT_PATHS:
            for kind in (FORM, JSON):
                yield f"{kind} to {path.rstrip('/').rpartition('/')[2]}", self.request(path, kind)

    def request(self, path: str, kind: str) -> Request:
        """It as the field `message` of this path."""
        return _post(path, kind, {"message": self.text})


@dataclass(frozen=True)
class Attack:
    """What must not reach the portal; with `may_pass`, why a rule set may let it."""

    id: str
    category: str
    request: Request
    may_pass: str = ""


@dataclass(frozen=True)
class _Written:
    """An attack as it stands in its file."""

    id: str
    path: str
    method: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    json: str = ""
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    may_pass: str = ""

    def request(self) -> Request:
        kind, body = self._body()
        headers = {"Content-Type": _CONTENT_TYPES[kind]} if kind else {}
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if cookies:
            headers["Cookie"] = cookies
        method = self.method or ("POST" if body else "GET")
        return Request(method, _target(self.path), {**headers, **self.headers}, body)

    def _body(self) -> tuple[str, bytes]:
        if self.form:
            return FORM, urlencode(self.form).encode()
        if self.json:
            return JSON, self.json.encode()
        return "", self.body.encode()


def prompts() -> list[Prompt]:
    """All of them, file by file; the file's name is the category."""
    return [
        Prompt(
            written["id"], category, written["text"].removesuffix("\n") * written.get("repeat", 1)
        )
        for category, written in _read("prompts", "prompt")
    ]


def attacks() -> list[Attack]:
    """All of them, file by file; the file's name is the category."""
    found = [(category, _Written(**written)) for category, written in _read("attacks", "attack")]
    return [Attack(one.id, category, one.request(), one.may_pass) for category, one in found]


def _read(folder: str, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((_FOLDER / folder).glob("*.toml")):
        for written in tomllib.loads(path.read_text(encoding="utf-8"))[kind]:
            yield path.stem, written


def _post(path: str, kind: str, fields: dict[str, str]) -> Request:
    body = json.dumps(fields) if kind == JSON else urlencode(fields)
    # As our pages send it: who refuses answers a script with JSON, and renders no page.
    headers = {"Content-Type": _CONTENT_TYPES[kind], "X-Requested-With": "fetch"}
    return Request("POST", path, headers, body.encode())


def _target(path: str) -> str:
    """The path with the places of this corpus in it."""
    places = {"{tenant}": TENANT_PATH, "{start}": START_PATH, "{messages}": MESSAGES_PATH}
    for name, place in places.items():
        path = path.replace(name, place)
    return path
