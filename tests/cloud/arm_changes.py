"""What-if: the template's resources against those that are there, as Azure tells it."""

from collections.abc import Iterator
from typing import Any

from tests.arm.evaluate import Evaluated
from tests.arm.resources import DEPLOYMENTS
from tests.cloud.arm_answers import Json
from tests.cloud.arm_azure import Azure

# What a provider adds by itself: what-if reports it though nothing will change.
NOISE = {"path": "properties.provisioningState", "propertyChangeType": "NoEffect",
         "before": "Succeeded", "after": None}  # fmt: skip
ETAG = {"path": "etag", "propertyChangeType": "Delete", "before": 'W/"1"', "after": None}


def changes(azure: Azure, result: Evaluated, group: str) -> list[Json]:
    """One entry for each resource of the template, and for each other one of the group."""
    planned = [one for one in result.resources if one.type != DEPLOYMENTS]
    found = [
        _change(one.id, azure.resources.get(one.id.lower()), {**one.body, "id": one.id})
        for one in planned
    ]
    ids = {one.id.lower() for one in planned}
    others = [other for other in azure.in_group(group) if other["id"].lower() not in ids]
    ignored = [{"resourceId": one["id"], "changeType": "Ignore", "before": one} for one in others]
    return found + ignored


def _change(id_: str, before: Json | None, after: Json) -> Json:
    if before is None:
        return {"resourceId": id_, "changeType": "Create", "after": after}
    delta = list(_delta(before, {"name": before["name"], "type": before["type"], **after}, ""))
    real = [entry for entry in delta if entry["propertyChangeType"] != "NoEffect"]
    kind = "Modify" if real else "NoChange"
    noise = [NOISE, ETAG] if real or before["type"].endswith("flexibleServers") else [NOISE]
    kind = "Modify" if ETAG in noise else kind
    both = {"before": before, "after": after}
    return {"resourceId": id_, "changeType": kind, **both, "delta": [*real, *noise]}


def _delta(before: Any, after: Any, path: str) -> Iterator[Json]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            if name != "provisioningState":
                yield from _delta(before.get(name), after.get(name), inner)
        return
    kind = "Create" if before is None else "Delete" if after is None else "Modify"
    if isinstance(before, list) and isinstance(after, list):
        yield {"path": path, "propertyChangeType": "Array", "before": before, "after": after,
               "children": list(_elements(before, after))}  # fmt: skip
        return
    yield {"path": path, "propertyChangeType": kind, "before": before, "after": after}


def _elements(before: list[Any], after: list[Any]) -> Iterator[Json]:
    for number in range(max(len(before), len(after))):
        old = before[number] if number < len(before) else None
        new = after[number] if number < len(after) else None
        inner = (
            list(_delta(old, new, "")) if isinstance(old, dict) and isinstance(new, dict) else []
        )
        if inner:
            yield {"path": str(number), "propertyChangeType": "Modify", "before": old,
                   "after": new, "children": inner}  # fmt: skip
        elif old != new:
            yield from _delta(old, new, str(number))
