"""Every scenario that the rules are held against, evaluated once each."""

import copy
import json
from functools import cache
from typing import Any

from tests.arm.evaluate import FOLDER, SUBSCRIPTION, Evaluated, evaluate
from tests.arm.functions import unique
from tests.arm.ids import Place
from tests.arm.parameters import read_file
from tests.arm.rules.facts import SECRETS

GROUP = "/subscriptions/00000000-0000-4000-8000-000000000009/resourceGroups/rg-hub/providers"
PRIVATE, GATEWAY, INNER, OWN = (
    "scenario1-private",
    "scenario2-gateway",
    "scenario2-private-frontend",
    "bring-your-own",
)
HUB = f"{GROUP}/Microsoft.Network/virtualNetworks/vnet-hub"

# Name: the parameter file it begins with, and what is different.
SCENARIOS: dict[str, tuple[str, dict[str, Any]]] = {
    "private-dev": (PRIVATE, {"tier": "dev"}),
    "private-prod": (PRIVATE, {"tier": "prod"}),
    "gateway-dev": (GATEWAY, {"tier": "dev"}),
    "gateway-prod": (GATEWAY, {"tier": "prod"}),
    "private-frontend-dev": (INNER, {"tier": "dev"}),
    "private-frontend-prod": (INNER, {"tier": "prod"}),
    "bring-your-own-dev": (OWN, {"tier": "dev"}),
    "bring-your-own-prod": (OWN, {"tier": "prod"}),
    # One switch each.
    "own-zones": (PRIVATE, {"existingZoneIds": "all", "createPrivateDnsZones": False}),
    "policy-writes-names": (
        PRIVATE,
        {"writeDnsZoneGroups": False, "createPrivateDnsZones": False},
    ),
    "own-dns-servers": (PRIVATE, {"dnsServers": ["10.0.0.4", "10.0.0.5"], "hubVnetId": HUB}),
    "hub-without-peering": (PRIVATE, {"hubVnetId": HUB, "hubPeering": False}),
    "own-workspace": (
        PRIVATE,
        {"existingWorkspaceId": f"{GROUP}/Microsoft.OperationalInsights/workspaces/log-hub"},
    ),
    "own-openai": (
        PRIVATE,
        {"existingOpenAiId": f"{GROUP}/Microsoft.CognitiveServices/accounts/oai-hub"},
    ),
    "jump-box": (
        PRIVATE,
        {
            "jumpbox": True,
            "jumpboxPublicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIexample",
            "jumpboxAdmins": [
                {
                    "objectId": "22222222-2222-4222-8222-222222222222",
                    "name": "sg-operators",
                    "type": "Group",
                }
            ],
        },
    ),
    "detection": (GATEWAY, {"wafMode": "Detection", "wafRuleSetVersion": "2.2"}),
    "gateway-own-vault": (GATEWAY, {"certificateSecretId": "own", "certificateVaultId": ""}),
    "few-clients": (GATEWAY, {"allowedClientNetworks": ["198.51.100.0/24", "203.0.113.77/32"]}),
    "few-clients-own-network": (OWN, {"allowedClientNetworks": ["198.51.100.0/24"]}),
    # The secrets are in the vault already.
    "second-run": (PRIVATE, {"djangoSecretKey": "", "emailUrl": ""}),
    "no-alerts": (PRIVATE, {"alertEmail": ""}),
    "long-name": (GATEWAY, {"name": "atriumatrium"}),
}
MAIN = [name for name in SCENARIOS if name.endswith(("-dev", "-prod"))]


def template() -> dict[str, Any]:
    """The main template."""
    found: dict[str, Any] = json.loads((FOLDER / "main.json").read_text(encoding="utf-8"))
    return found


def parameters(name: str) -> dict[str, Any]:
    """The parameter values of a scenario."""
    file, changes = SCENARIOS[name]
    values = {**read_file(FOLDER / f"{file}.parameters.json"), **SECRETS, **changes}
    if values.get("existingZoneIds") == "all":
        values["existingZoneIds"] = read_file(FOLDER / f"{OWN}.parameters.json")["existingZoneIds"]
    if values.get("certificateSecretId") == "own":
        suffix = unique(SUBSCRIPTION, Place(SUBSCRIPTION, "rg-atrium", "").group_id, values["name"])
        host = f"kv-{values['name']}-{suffix[:8]}.vault.azure.net"
        values["certificateSecretId"] = f"https://{host}/secrets/portal"
    return values


@cache
def scenario(name: str) -> Evaluated:
    """A scenario, evaluated. It is shared: whoever changes it takes `broken`."""
    return evaluate(template(), parameters(name), folder=FOLDER)


def broken(name: str) -> Evaluated:
    """A copy of a scenario, to be changed."""
    return copy.deepcopy(scenario(name))
