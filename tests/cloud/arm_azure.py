"""What an Azure subscription holds: groups, resources, providers, quotas, what was deleted."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.arm.evaluate import SUBSCRIPTION
from tests.arm.ids import name_of, type_of
from tests.cloud.arm_answers import Json
from tests.cloud.arm_run import Run

LOCATIONS = ["West Europe", "Sweden Central"]
# The resource types that a subscription with everything registered offers, and a version of each.
TYPES = {
    "Microsoft.Authorization/locks": "2020-05-01",
    "Microsoft.Authorization/roleAssignments": "2022-04-01",
    "Microsoft.Cache/redisEnterprise": "2025-07-01",
    "Microsoft.Cache/redisEnterprise/databases": "2025-07-01",
    "Microsoft.CognitiveServices/accounts": "2026-05-01",
    "Microsoft.CognitiveServices/accounts/deployments": "2026-05-01",
    "Microsoft.Compute/virtualMachines": "2026-03-01",
    "Microsoft.ContainerRegistry/registries": "2025-11-01",
    "Microsoft.DBforPostgreSQL/flexibleServers": "2025-08-01",
    "Microsoft.Insights/actionGroups": "2023-01-01",
    "Microsoft.Insights/autoscaleSettings": "2022-10-01",
    "Microsoft.Insights/metricAlerts": "2026-01-01",
    "Microsoft.Insights/scheduledQueryRules": "2026-03-01",
    "Microsoft.KeyVault/vaults": "2026-02-01",
    "Microsoft.KeyVault/vaults/secrets": "2026-02-01",
    "Microsoft.ManagedIdentity/userAssignedIdentities": "2024-11-30",
    "Microsoft.Network/applicationGateways": "2025-07-01",
    "Microsoft.Network/dnsResolvers": "2025-05-01",
    "Microsoft.Network/privateDnsZones": "2024-06-01",
    "Microsoft.Network/privateEndpoints": "2025-07-01",
    "Microsoft.Network/virtualNetworks": "2025-07-01",
    "Microsoft.OperationalInsights/workspaces": "2025-07-01",
    "Microsoft.Web/serverfarms": "2024-11-01",
    "Microsoft.Web/sites": "2024-11-01",
}


@dataclass
class Azure:
    """One subscription. Tests put into it what they need, and read what came of it.

    `pace_seconds` is how long each resource takes. `failing` maps a resource's type or name to the
    error that its creation ends with; `refused` is what validation refuses every template with.
    """

    subscription: str = SUBSCRIPTION
    pace_seconds: float = 0.02
    groups: dict[str, Json] = field(default_factory=dict)
    resources: dict[str, Json] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    unregistered: set[str] = field(default_factory=set)
    features: set[str] = field(default_factory=set)
    models: list[Json] = field(default_factory=list)
    usages: list[Json] = field(default_factory=list)
    deleted_accounts: list[Json] = field(default_factory=list)
    deleted_vaults: list[Json] = field(default_factory=list)
    actions: list[str] = field(default_factory=lambda: ["*"])
    not_actions: list[str] = field(default_factory=list)
    zone_redundant: bool = True
    failing: dict[str, Json] = field(default_factory=dict)
    refused: Json | None = None
    deleting: dict[str, float] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The subscription as a resource id."""
        return f"/subscriptions/{self.subscription}"

    def add_group(self, name: str, location: str = "westeurope") -> Json:
        """A resource group."""
        body = {"id": f"{self.path}/resourceGroups/{name}", "name": name, "location": location,
                "type": "Microsoft.Resources/resourceGroups",
                "properties": {"provisioningState": "Succeeded"}}  # fmt: skip
        return self.groups.setdefault(name.lower(), body)

    def add_model(self, name: str, version: str, **more: Any) -> None:
        """A model that may be deployed here, and its quota; `more` overrides what is usual."""
        sku = more.get("sku", "GlobalStandard")
        usage = f"OpenAI.{sku}.{name}"
        self.models.append(
            {
                "kind": "OpenAI",
                "skuName": "S0",
                "model": {
                    "format": "OpenAI",
                    "name": name,
                    "version": version,
                    "lifecycleStatus": more.get("state", "GenerallyAvailable"),
                    "deprecation": {"inference": more.get("retires", "2099-01-01T00:00:00Z")},
                    "skus": [{"name": sku, "usageName": usage, "capacity": {"maximum": 10_000}}],
                },
            }
        )
        limit = {"currentValue": more.get("used", 0), "limit": more.get("limit", 1000)}
        self.usages.append({"name": {"value": usage}, "unit": "Count", **limit})

    def add(self, id_: str, **body: Any) -> Json:
        """A resource that is there."""
        name = name_of(id_).rpartition("/")[2]
        kept = {"id": id_, "name": name, "type": type_of(id_), "properties": {}, **body}
        self.resources[id_.lower()] = kept
        return kept

    def in_group(self, name: str) -> list[Json]:
        """The resources of a group as Azure lists them: without children and extensions."""
        start = f"{self.path}/resourceGroups/{name}/providers/".lower()
        return [
            body
            for id_, body in self.resources.items()
            if id_.startswith(start) and body["type"].count("/") == 1
            if "/providers/" not in id_.removeprefix(start)
        ]

    def locks_in(self, scope: str) -> list[Json]:
        """The locks of a group and of what is in it."""
        start = f"{scope}/".lower()
        return [
            body
            for id_, body in self.resources.items()
            if id_.startswith(start) and body["type"].lower() == "microsoft.authorization/locks"
        ]

    def children(self, collection: str) -> list[Json]:
        """The resources right under a path like …/accounts/NAME/deployments."""
        start = f"{collection.lower()}/"
        return [
            body
            for id_, body in self.resources.items()
            if id_.startswith(start) and "/" not in id_.removeprefix(start)
        ]

    def provider(self, namespace: str) -> Json:
        """What a resource provider offers."""
        offered = [
            {"resourceType": type_.partition("/")[2], "locations": LOCATIONS, "apiVersions": [at]}
            for type_, at in TYPES.items()
            if type_.partition("/")[0].lower() == namespace.lower()
        ]
        is_missing = namespace.lower() in {name.lower() for name in self.unregistered}
        state = "NotRegistered" if is_missing else "Registered"
        return {"namespace": namespace, "registrationState": state, "resourceTypes": offered}

    def settle(self) -> None:
        """Let time pass: what is deployed by now is there, what is deleted is gone."""
        now = time.monotonic()
        for run in self.runs.values():
            for resource in run.made(now):
                self.resources.setdefault(resource["id"].lower(), resource).update(resource)
        for name in [name for name, end in self.deleting.items() if end <= now]:
            self._drop(name)

    def delete_group(self, name: str) -> None:
        """Begin to delete a group; it takes as long as three resources."""
        self.deleting[name.lower()] = time.monotonic() + 3 * self.pace_seconds

    def _drop(self, name: str) -> None:
        self.deleting.pop(name)
        self.groups.pop(name, None)
        inside = f"{self.path}/resourceGroups/{name}/".lower()
        for kept in (self.resources, self.runs):
            for id_ in [id_ for id_ in kept if id_.startswith(inside)]:
                kept.pop(id_)
