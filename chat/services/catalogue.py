"""The catalogue as a file says it, and who may use what is in it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from chat.models import Deployment, DeploymentGrant
from tenants.models import Tenant
from tenants.services import record

# What a field's value must be in the file, and the value where an optional one is absent.
_TEXT, _COUNT, _PRICE, _SWITCH = "a text", "a whole number", "a number", "true or false"
_SHAPES = {
    "label": _TEXT,
    "purpose": _TEXT,
    "kind": _TEXT,
    "endpoint": _TEXT,
    "model": _TEXT,
    "context_window": _COUNT,
    "input_price": _PRICE,
    "output_price": _PRICE,
    "is_active": _SWITCH,
}
_TYPES: dict[str, tuple[type, ...]] = {
    _TEXT: (str,),
    _COUNT: (int,),
    _PRICE: (int, float, str),
    _SWITCH: (bool,),
}
_DEFAULTS: dict[str, Any] = {
    "purpose": "",
    "endpoint": "",
    "input_price": Decimal(0),
    "output_price": Decimal(0),
    "is_active": True,
}
# Held by the transaction of a sync, so that two at once run one after the other.
_LOCK = 6_282_021

Grants = dict[str, bool]  # slug of a tenant: whether the deployment is its default


class InvalidCatalogue(Exception):
    """The catalogue cannot be taken over: one line for each problem, with entry and field."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Synced(NamedTuple):
    """How many deployments a sync created, updated, left as they were, and switched off."""

    created: int
    updated: int
    unchanged: int
    deactivated: int


@dataclass
class _Entry:
    """An entry of the catalogue beside what the database has; `grants` None: it says nothing."""

    deployment: Deployment
    is_new: bool
    changes: dict[str, list[str]]
    grants: Grants | None
    granted: Grants

    @property
    def is_regranted(self) -> bool:
        return self.grants is not None and self.grants != self.granted


@transaction.atomic
def sync_catalogue(
    entries: object, *, deactivate_missing: bool = False, dry_run: bool = False
) -> Synced:
    """Make the deployments be as these entries say; safe to repeat.

    An entry is the whole truth about its deployment: an optional field that is absent gets its
    default. `grants`, where given, is the whole list of tenants that may use it; a default takes
    the place of the tenant's default before. Deployments that no entry names stay as they are, or
    are switched off with `deactivate_missing`. Raises InvalidCatalogue, and changes nothing then.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    wanted = _read(entries)
    done = Counter(_apply_fields(entry) for entry in wanted)
    _apply_grants([entry for entry in wanted if entry.is_regranted])
    deactivated = _deactivate_all_but(wanted) if deactivate_missing else 0
    transaction.set_rollback(dry_run)
    return Synced(done["created"], done["updated"], done["unchanged"], deactivated)


@transaction.atomic
def grant(*, deployment: Deployment, tenant: Tenant) -> None:
    """Let the tenant use the deployment, as its default where it has none. Safe to repeat."""
    has_default = DeploymentGrant.objects.filter(tenant=tenant, is_default=True).exists()
    _, is_new = DeploymentGrant.objects.get_or_create(
        deployment=deployment, tenant=tenant, defaults={"is_default": not has_default}
    )
    if is_new:
        record("deployment.granted", subject=deployment, tenant=tenant)


# ── Reading ────────────────────────────────────────────────────────────────────────────────────
def _read(entries: object) -> list[_Entry]:
    if isinstance(entries, Mapping):
        entries = entries.get("deployments")
    if not isinstance(entries, list):
        raise InvalidCatalogue(["The catalogue must be a list of deployments."])
    problems = [*_problems_of_shape(entries)]
    if problems:
        raise InvalidCatalogue(problems)
    known = Deployment.objects.in_bulk([raw["name"] for raw in entries], field_name="name")
    wanted = [_entry(raw, known.get(raw["name"])) for raw in entries]
    problems = [*_problems_of_values(wanted), *_problems_of_grants(wanted)]
    if problems:
        raise InvalidCatalogue(problems)
    return wanted


def _problems_of_shape(entries: list[Any]) -> Iterator[str]:
    """What makes an entry unreadable; after this every entry has a name and right types."""
    seen: set[str] = set()
    for number, raw in enumerate(entries, start=1):
        name = raw.get("name") if isinstance(raw, Mapping) else None
        if not isinstance(name, str) or not name:
            yield f"entry {number}: name: every entry needs one."
            continue
        if name in seen:
            yield f"{name}: name: it is given twice."
        seen.add(name)
        yield from (f"{name}: {problem}" for problem in _problems_of_fields(raw))


def _problems_of_fields(raw: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(map(str, raw.keys() - _SHAPES.keys() - {"name", "grants"})):
        yield f"{key}: there is no such field."
    for key in sorted(_SHAPES.keys() - _DEFAULTS.keys() - raw.keys()):
        yield f"{key}: it is required."
    for key in sorted(_SHAPES.keys() & raw.keys()):
        if not _has_shape(raw[key], _SHAPES[key]):
            yield f"{key}: it must be {_SHAPES[key]}."
    if not _are_grants(raw.get("grants", [])):
        yield "grants: it must be a list of {tenant: slug}, each with default: true where it is so."


def _has_shape(value: object, shape: str) -> bool:
    if isinstance(value, bool) and shape != _SWITCH:
        return False
    return isinstance(value, _TYPES[shape]) and (shape != _PRICE or _price(value) is not None)


def _price(value: object) -> Decimal | None:
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return None
    return price if price.is_finite() else None


def _are_grants(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, Mapping)
        and isinstance(item.get("tenant"), str)
        and isinstance(item.get("default", False), bool)
        and not item.keys() - {"tenant", "default"}
        for item in value
    )


def _entry(raw: Mapping[str, Any], known: Deployment | None) -> _Entry:
    deployment = known or Deployment(name=raw["name"])
    before = {key: getattr(deployment, key) for key in _SHAPES}
    for key, shape in _SHAPES.items():
        value = raw.get(key, _DEFAULTS.get(key))
        setattr(deployment, key, _price(value) if shape == _PRICE else value)
    after = {key: getattr(deployment, key) for key in _SHAPES}
    grants = {item["tenant"]: item.get("default", False) for item in raw.get("grants", [])}
    return _Entry(
        deployment,
        is_new=known is None,
        changes={
            key: [str(before[key]), str(after[key])] for key in _SHAPES if before[key] != after[key]
        },
        grants=grants if "grants" in raw else None,
        granted=_grants_of(known) if known else {},
    )


def _grants_of(deployment: Deployment) -> Grants:
    return dict(deployment.grants.values_list("tenant__slug", "is_default"))


def _problems_of_values(wanted: list[_Entry]) -> Iterator[str]:
    for entry in wanted:
        deployment = entry.deployment
        try:
            deployment.full_clean()
        except ValidationError as error:
            for key, texts in error.message_dict.items():
                yield f"{deployment.name}: {key}: {' '.join(texts)}"
        for key in ("input_price", "output_price"):
            if getattr(deployment, key) < 0:
                yield f"{deployment.name}: {key}: it must not be below zero."


def _problems_of_grants(wanted: list[_Entry]) -> Iterator[str]:
    named = {slug for entry in wanted for slug in entry.grants or {}}
    tenants = set(Tenant.objects.filter(slug__in=named).values_list("slug", flat=True))
    default_of: dict[str, str] = {}
    for entry in wanted:
        name = entry.deployment.name
        for slug, is_default in (entry.grants or {}).items():
            if slug not in tenants:
                yield f"{name}: grants: there is no tenant “{slug}”."
            if is_default and default_of.setdefault(slug, name) != name:
                yield f"{name}: grants: “{slug}” has {default_of[slug]} as its default already."


# ── Writing ────────────────────────────────────────────────────────────────────────────────────
def _apply_fields(entry: _Entry) -> str:
    deployment = entry.deployment
    if entry.is_new:
        deployment.save(force_insert=True)
        record("deployment.created", subject=deployment)
        return "created"
    if entry.changes:
        deployment.save()
        record("deployment.changed", subject=deployment, changes=entry.changes)
    return "updated" if entry.changes or entry.is_regranted else "unchanged"


def _apply_grants(wanted: list[_Entry]) -> None:
    """Set the grants of these entries: what goes first, so that no tenant has two defaults."""
    slugs = {
        slug for entry in wanted for slug, is_default in (entry.grants or {}).items() if is_default
    }
    DeploymentGrant.objects.filter(tenant__slug__in=slugs, is_default=True).update(is_default=False)
    tenants = Tenant.objects.in_bulk(
        [slug for entry in wanted for slug in entry.grants or {}], field_name="slug"
    )
    for entry in wanted:
        grants = entry.grants or {}
        entry.deployment.grants.exclude(tenant__slug__in=grants).delete()
        for slug, is_default in grants.items():
            DeploymentGrant.objects.update_or_create(
                deployment=entry.deployment,
                tenant=tenants[slug],
                defaults={"is_default": is_default},
            )
        record("deployment.granted", subject=entry.deployment, was=entry.granted, to=grants)


def _deactivate_all_but(wanted: list[_Entry]) -> int:
    missing = Deployment.objects.filter(is_active=True).exclude(
        pk__in=[entry.deployment.pk for entry in wanted]
    )
    for deployment in missing:
        deployment.is_active = False
        deployment.save(update_fields=["is_active"])
        record("deployment.changed", subject=deployment, changes={"is_active": ["True", "False"]})
    return len(missing)
