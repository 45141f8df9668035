"""Deployments that were begun here before: their names, their outputs, the one that still runs."""

import secrets
from datetime import UTC, datetime
from typing import Any

from portal.infra.arm import Arm

Json = dict[str, Any]

PREFIX = "atrium-main-"
RUNNING = {"Accepted", "Created", "Creating", "Running", "Updating", "Deleting"}


class NothingDeployed(Exception):
    """There is no finished deployment of ours in this group; the text says so."""


def new_name() -> str:
    """A name for the next deployment: by its time, and never the same for two people."""
    return f"{PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def ours(arm: Arm, group: str) -> list[Json]:
    """Our deployments of the group, newest first; Azure keeps the last 800 of all."""
    return [one for one in arm.deployments(group) if one["name"].startswith(PREFIX)]


def state(deployment: Json) -> str:
    """Like Running, Succeeded, Failed, Canceled."""
    return str(deployment["properties"]["provisioningState"])


def running(arm: Arm, group: str) -> Json | None:
    """The deployment that is not finished yet."""
    return next((one for one in ours(arm, group) if state(one) in RUNNING), None)


def latest(arm: Arm, group: str) -> Json:
    """The newest deployment that succeeded; raises NothingDeployed."""
    for one in ours(arm, group):
        if state(one) == "Succeeded":
            return one
    raise NothingDeployed(
        f"No deployment has succeeded in the resource group {group} yet; see `infra deploy --help`"
    )


def outputs(arm: Arm, group: str) -> dict[str, Any]:
    """Name and value of what the newest successful deployment gave; raises NothingDeployed."""
    return outputs_of(latest(arm, group))


def outputs_of(deployment: Json) -> dict[str, Any]:
    """Name and value of each output."""
    found: Json = deployment["properties"].get("outputs") or {}
    return {name: entry.get("value") for name, entry in found.items()}


def resources_of(deployment: Json) -> list[str]:
    """The ids of the resources that it wrote."""
    found = deployment["properties"].get("outputResources") or []
    return [str(one["id"]) for one in found if one.get("id")]
