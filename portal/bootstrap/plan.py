"""What a deployment is to begin with, as the setting BOOTSTRAP or an operator says it."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_UNSLUG = re.compile(r"[^a-z0-9]+")


class BootstrapError(Exception):
    """It cannot be done. The text is for operators, and holds no secret."""


class FirstTenant(NamedTuple):
    """The organisation that a new deployment begins with."""

    slug: str
    name: str


@dataclass(frozen=True)
class Plan:
    """What is to be there afterwards.

    `application_object_id` is set where the application's database role is an identity of Entra.
    `deployments` are models as the template's output `deployments` lists them.
    """

    application_object_id: str = ""
    deployments: list[Mapping[str, Any]] = field(default_factory=list)
    tenant: FirstTenant | None = None
    administrator: str = ""


def read_plan(text: str) -> Plan:
    """The plan in the setting BOOTSTRAP. Raises BootstrapError."""
    try:
        raw = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise BootstrapError("BOOTSTRAP is not valid JSON") from None
    if not isinstance(raw, dict):
        raise BootstrapError("BOOTSTRAP must be a JSON object")
    return Plan(
        application_object_id=_text(raw, "application_object_id", "BOOTSTRAP"),
        deployments=read_deployments(raw.get("deployments", [])),
        tenant=read_tenant(_text(raw, "first_tenant", "BOOTSTRAP")),
        administrator=_text(raw, "administrator", "BOOTSTRAP").strip().lower(),
    )


def read_deployments(raw: object) -> list[Mapping[str, Any]]:
    """The models of the template's output: a list, or the outputs that have it inside.

    Raises BootstrapError, also where two of them would have one name in the catalogue.
    """
    if isinstance(raw, Mapping):
        raw = raw.get("deployments", [])
    if isinstance(raw, Mapping):  # as Azure prints an output
        raw = raw.get("value", [])
    if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
        raise BootstrapError("The deployments must be a list of objects")
    slugs = Counter(catalogue_entry(model)["name"] for model in raw)
    if twice := [slug for slug, count in slugs.items() if count > 1]:
        raise BootstrapError(f"Two models would be called {', '.join(twice)} in the catalogue")
    return raw


def read_tenant(text: str) -> FirstTenant | None:
    """A tenant written as `slug=Name`; None where the text is empty."""
    slug, _, name = (part.strip() for part in text.partition("="))
    if text and not (slug and name):
        raise BootstrapError(f"The first tenant is written slug=Name, not “{text}”")
    return FirstTenant(slug, name) if text else None


def catalogue_entry(model: Mapping[str, Any]) -> dict[str, Any]:
    """A model of the template as an entry of the catalogue (docs/operations.md)."""
    name = _text(model, "name", "A model")
    return {
        "name": _UNSLUG.sub("-", name.lower()).strip("-"),
        "label": _text(model, "label", "A model") or name,
        "kind": "azure",
        "model": name,
        "context_window": model.get("contextWindow", 0),
        "input_price": model.get("inputPrice", 0),
        "output_price": model.get("outputPrice", 0),
    }


def _text(raw: Mapping[str, Any], name: str, where: str) -> str:
    """A value that must be a text; empty where there is none."""
    value = raw.get(name)
    if value is not None and not isinstance(value, str):
        raise BootstrapError(f"{where}: {name} must be a text")
    return value or ""
