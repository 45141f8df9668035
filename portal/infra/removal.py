"""Taking a deployment away: what goes, what stands in the way, what stays and for how long."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from portal.infra import history
from portal.infra.arm import Arm
from portal.infra.ids import type_of
from portal.infra.plans import RESOURCES, Refused
from portal.infra.terminal import Terminal

Json = dict[str, Any]

LOCKS, VAULTS = "2020-05-01", "2026-02-01"
VAULT_TYPE = "microsoft.keyvault/vaults"
# What Azure keeps after deletion: Learn, "Recover or purge deleted Azure AI services resources" and
# "Delete and recover Azure Log Analytics workspace".
KEPT = {
    "microsoft.cognitiveservices/accounts": "kept 48 hours; its name is taken that long",
    "microsoft.operationalinsights/workspaces": "kept 14 days; can be brought back",
}


@dataclass(frozen=True)
class Removal:
    """One resource group of ours, and what its deletion means."""

    group: str
    resources: list[Json]
    strangers: list[Json]
    elsewhere: list[str]
    locks: list[Json]
    kept: list[str]

    def tell(self, screen: Terminal) -> None:
        """Show it."""
        screen.line(f"Resource group {self.group}, with all that is in it:")
        for type_, count in sorted(Counter(one["type"] for one in self.resources).items()):
            screen.line(f"  - {count:3} {type_}")
        self._tell("Among them, not made by Atrium's template:", map(_line, self.strangers), screen)
        self._tell("Stays, because it is elsewhere:", self.elsewhere, screen)
        self._tell("Stays for a while, though deleted:", self.kept, screen)
        self._tell("Locks that stand in the way:", [one["id"] for one in self.locks], screen)

    @staticmethod
    def _tell(title: str, lines: Any, screen: Terminal) -> None:
        found = list(lines)
        if found:
            screen.title(title)
        for line in found:
            screen.line(f"  {line}")

    def refuse_locks(self) -> None:
        """Raise Refused where a lock forbids it."""
        if self.locks:
            commands = "\n".join(f"az lock delete --ids {one['id']}" for one in self.locks)
            raise Refused(f"Locks protect what is here. Take them away first:\n{commands}")


def look(arm: Arm, group: str) -> Removal:
    """What would go; raises Refused where nothing here is ours."""
    if arm.find(arm.group(group), RESOURCES) is None:
        raise Refused(f"There is no resource group {group} in subscription {arm.subscription}")
    deployments = history.ours(arm, group)
    if not deployments:
        raise Refused(
            f"Nothing in {group} was deployed by `infra deploy`, so this does not delete it."
            f" Is it the right group? (az group delete --name {group} takes any)"
        )
    resources = list(arm.list_all(f"{arm.group(group)}/resources", RESOURCES))
    made = {id_.lower(): id_ for one in deployments for id_ in history.resources_of(one)}
    inside = f"{arm.group(group)}/".lower()
    return Removal(
        group=group,
        resources=resources,
        strangers=[one for one in resources if made and one["id"].lower() not in made],
        elsewhere=[id_ for key, id_ in made.items() if not key.startswith(inside)],
        locks=list(
            arm.list_all(f"{arm.group(group)}/providers/Microsoft.Authorization/locks", LOCKS)
        ),
        kept=[text for one in resources if (text := _kept(arm, one))],
    )


def remove(arm: Arm, group: str) -> None:
    """Delete the group and wait until it is gone."""
    arm.delete(arm.group(group), RESOURCES)


def _kept(arm: Arm, resource: Json) -> str:
    type_ = type_of(resource["id"]).lower()
    if type_ in KEPT:
        return f"{_line(resource)}: {KEPT[type_]}"
    if type_ != VAULT_TYPE:
        return ""
    vault = arm.find(resource["id"], VAULTS) or {"properties": {}}
    days = vault["properties"].get("softDeleteRetentionInDays", 90)
    purge = vault["properties"].get("enablePurgeProtection")
    end = "nobody can remove it earlier" if purge else "can be purged"
    return f"{_line(resource)}: kept {days} days, {end}; its name is taken that long"


def _line(resource: Json) -> str:
    return f"{resource['type']}  {resource['name']}"
