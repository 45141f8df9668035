"""Preflight of what Azure may lack here: models, their quota, zones of PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from portal.infra.arm import Arm
from portal.infra.preflight import OK, PROBLEM, UNKNOWN, Finding, Subject

Json = dict[str, Any]

AI, POSTGRES, RESOURCES = "2026-05-01", "2025-08-01", "2021-04-01"
SOON = timedelta(days=60)
CLOSED = {"deprecating", "deprecated", "legacy"}


def models(subject: Subject) -> Iterator[Finding]:
    """Each model: offered here, in this version and SKU, for how long, and within the quota."""
    wanted: list[Json] = [] if subject.on("existingOpenAiId") else subject.on("models") or []
    if not wanted:
        yield Finding(OK, "models", "those of the existing account are used as they are")
        return
    where = f"{subject.arm.path}/providers/Microsoft.CognitiveServices/locations/{subject.location}"
    offered = [entry["model"] for entry in subject.arm.list_all(f"{where}/models", AI)]
    usages = {one["name"]["value"]: one for one in subject.arm.list_all(f"{where}/usages", AI)}
    there = deployed(subject.arm, subject.group) if subject.group_exists else {}
    for model in wanted:
        if there.get(model["name"]) == (model["version"], model["capacity"]):
            yield Finding(OK, f"model {model['model']} {model['version']}", "is deployed already")
        else:
            yield _model(model, offered, usages, subject.location)


def deployed(arm: Arm, group: str) -> dict[str, tuple[str, int]]:
    """Version and capacity of the models that the group has, by the deployment's name."""
    query = {"$filter": "resourceType eq 'Microsoft.CognitiveServices/accounts'"}
    accounts = list(arm.list_all(f"{arm.group(group)}/resources", RESOURCES, **query))
    found = [one for each in accounts for one in arm.list_all(f"{each['id']}/deployments", AI)]
    return {
        one["name"]: (one["properties"]["model"].get("version", ""), one["sku"].get("capacity", 0))
        for one in found
    }


def _model(wanted: Json, offered: list[Json], usages: dict[str, Json], where: str) -> Finding:
    name = f"model {wanted['model']} {wanted['version']}"
    same = [one for one in offered if one["name"] == wanted["model"]]
    found = [one for one in same if one["version"] == wanted["version"]]
    if not found:
        versions = ", ".join(sorted({one["version"] for one in same}))
        text = f"not offered in {where}" + (f"; its versions there: {versions}" if same else "")
        return Finding(PROBLEM, name, text, "Change `models` or `location`")
    skus = {sku["name"]: sku for one in found for sku in one.get("skus") or []}
    sku = skus.get(wanted["sku"])
    if sku is None:
        return Finding(PROBLEM, name, f"not offered as {wanted['sku']} in {where}",
                       f"Offered as: {', '.join(sorted(skus))}")  # fmt: skip
    if retired := _retirement(found[0]):
        return Finding(PROBLEM, name, retired, "Choose a model that lives longer in `models`")
    return _quota(name, wanted, usages.get(sku.get("usageName", "")), _life(found[0]))


def _quota(name: str, wanted: Json, usage: Json | None, life: str) -> Finding:
    if usage is None:
        return Finding(UNKNOWN, name, f"offered{life}; its quota could not be looked up")
    left = int(usage["limit"] - usage["currentValue"])
    text = f"capacity {wanted['capacity']} of {left} left ({wanted['sku']}){life}"
    if wanted["capacity"] > left:
        remedy = "Lower its capacity, or ask for more quota (Azure AI Foundry portal, Quotas)"
        return Finding(PROBLEM, name, text, remedy)
    return Finding(OK, name, text)


def _end(model: Json) -> datetime | None:
    text = (model.get("deprecation") or {}).get("inference")
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _life(model: Json) -> str:
    end = _end(model)
    return f", until {end:%Y-%m-%d}" if end else ""


def _retirement(model: Json) -> str:
    """Why it is no use to deploy this model now; '' where it is."""
    state, end = str(model.get("lifecycleStatus") or ""), _end(model)
    if end and end - datetime.now(UTC) < SOON:
        return f"is retired on {end:%Y-%m-%d}"
    return f"is {state} and takes no new deployments" if state.lower() in CLOSED else ""


def postgres(subject: Subject) -> Iterator[Finding]:
    """PostgreSQL may be made here, and across zones where the tier wants that."""
    path = f"{subject.arm.path}/providers/Microsoft.DBforPostgreSQL/locations/{subject.location}"
    found = list(subject.arm.list_all(f"{path}/capabilities", POSTGRES))
    if not found:
        yield Finding(UNKNOWN, "PostgreSQL", "Azure says nothing of this region")
        return
    remedy = "Choose another `location`, or ask for access (Azure portal, Quotas)"
    if found[0].get("restricted") == "Enabled":
        yield Finding(PROBLEM, "PostgreSQL", f"is closed to you in {subject.location}", remedy)
    elif subject.on("tier") != "prod":
        yield Finding(OK, "PostgreSQL", f"may be made in {subject.location}")
    elif found[0].get("zoneRedundantHaSupported") == "Enabled":
        yield Finding(OK, "PostgreSQL", f"may be made across zones in {subject.location}")
    else:
        text = f"has no zone-redundant standby in {subject.location}"
        yield Finding(PROBLEM, "PostgreSQL", text, "Choose another `location`, or `tier` dev")
