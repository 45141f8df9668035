"""The released version as its migrations remember it: what it writes, column by column."""

import uuid
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from django.apps.registry import Apps
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

# The last migrations of the latest release. A new release moves them on.
RELEASED = {
    "tenants": "0006_clean_names",
    "chat": "0005_queue_figures",
    "portal": "0001_cache_table",
}
# What the database writes by itself, and the application may not.
BY_TRIGGERS = {"AuditHead"}

Field: TypeAlias = "models.Field[Any, Any]"
_VALUES: list[tuple["type[Field]", Callable[[], object]]] = [
    (models.EmailField, lambda: f"{uuid.uuid4().hex}@example.org"),
    (models.CharField, lambda: uuid.uuid4().hex[:10]),
    (models.TextField, lambda: "Some words"),
    (models.UUIDField, uuid.uuid4),
    (models.IntegerField, lambda: 1),
    (models.DecimalField, lambda: 1),
    (models.DateTimeField, timezone.now),
    (models.BinaryField, lambda: bytes(32)),
]


def released_models() -> list[type[models.Model]]:
    """Our models as the released version knows them, each after those that it cannot do without."""
    state = MigrationLoader(None).project_state(list(RELEASED.items()))
    apps = cast("Apps", state.apps)
    waiting = [model for model in apps.get_models() if _is_written(model)]
    ordered: list[type[models.Model]] = []
    while waiting:
        ordered += [model for model in waiting if not _needs(model) & set(waiting)]
        waiting = [model for model in waiting if model not in ordered]
    return ordered


def write_one_of_each() -> list[models.Model]:
    """A row of each model, by the released version: all columns that it knows, and no other."""
    made: dict[type[models.Model], models.Model] = {}
    for model in released_models():
        needed = [field for field in _fields(model) if not field.null and not field.has_default()]
        made[model] = model(**{field.name: _value(field, made) for field in needed})
        made[model].save(force_insert=True)
    return list(made.values())


def _is_written(model: type[models.Model]) -> bool:
    return model._meta.app_label in RELEASED and model._meta.object_name not in BY_TRIGGERS


def _fields(model: type[models.Model]) -> list[Field]:
    return cast("list[Field]", model._meta.concrete_fields)


def _needs(model: type[models.Model]) -> set[Any]:
    return {field.related_model for field in _fields(model) if not field.null} - {model, None}


def _value(field: Field, made: dict[type[models.Model], models.Model]) -> object:
    if field.related_model:
        return made[field.related_model]
    if field.choices:
        return next(iter(dict(field.flatchoices)))
    return next(value() for kind, value in _VALUES if isinstance(field, kind))
