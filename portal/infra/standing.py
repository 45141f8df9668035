"""Preflight of what the subscription is set up for: providers, features, rights, names, ids."""

import re
from collections.abc import Iterator
from typing import Any

from portal.infra import bundle
from portal.infra.ids import group_of, is_id, type_of
from portal.infra.preflight import OK, PROBLEM, UNKNOWN, Finding, Subject

Json = dict[str, Any]

RESOURCES, RIGHTS, FEATURES = "2021-04-01", "2022-04-01", "2021-07-01"
AI, VAULTS = "2026-05-01", "2026-02-01"
# Namespaces that only some deployments need, and the parameter that says so.
OPTIONAL = {"Microsoft.Compute": "jumpbox"}
ISOLATION = "EnableApplicationGatewayNetworkIsolation"
NEEDED = {
    "Microsoft.Resources/deployments/write": "Contributor",
    "Microsoft.Network/virtualNetworks/write": "Contributor",
    "Microsoft.Authorization/roleAssignments/write": (
        "Role Based Access Control Administrator (or User Access Administrator, Owner)"
    ),
}
NEW_GROUP = {"Microsoft.Resources/subscriptions/resourceGroups/write": "Contributor"}
LOCKS = {"Microsoft.Authorization/locks/write": "User Access Administrator, or Owner"}
# For ids that are given: the API version with which they are read.
VERSIONS = {
    "microsoft.network/virtualnetworks": "2025-07-01",
    "microsoft.network/virtualnetworks/subnets": "2025-07-01",
    "microsoft.network/privatednszones": "2024-06-01",
    "microsoft.operationalinsights/workspaces": "2025-07-01",
    "microsoft.cognitiveservices/accounts": "2026-05-01",
    "microsoft.keyvault/vaults": "2026-02-01",
}


def providers(subject: Subject) -> Iterator[Finding]:
    """Each kind of service is registered, and offered in this API version and region."""
    types = _types(subject)
    for namespace in sorted({type_.partition("/")[0] for type_, _ in types}):
        found = subject.arm.get(f"{subject.arm.path}/providers/{namespace}", RESOURCES)
        state = found.get("registrationState")
        if state != "Registered":
            text, do = f"{state}", f"az provider register --namespace {namespace} --wait"
            yield Finding(PROBLEM, f"provider {namespace}", text, do)
            continue
        wrong = list(_not_offered(found, types, subject.location))
        yield from wrong
        if not wrong:
            yield Finding(OK, f"provider {namespace}", "registered")


def _types(subject: Subject) -> set[tuple[str, str]]:
    """Types and API versions of the template and its modules."""
    skipped = {name for name, parameter in OPTIONAL.items() if not subject.on(parameter)}
    found = set(_collect(subject.template, ""))
    return {(type_, at) for type_, at in found if type_.partition("/")[0] not in skipped}


def _collect(template: Json, above: str) -> Iterator[tuple[str, str]]:
    for resource in bundle.resources(template):
        type_ = f"{above}/{resource['type']}" if above else str(resource["type"])
        if type_.lower() == bundle.DEPLOYMENT:
            yield from _collect(resource["properties"].get("template", {}), "")
            continue
        yield type_, str(resource["apiVersion"])
        yield from _collect(resource, type_)


def _not_offered(provider: Json, types: set[tuple[str, str]], location: str) -> Iterator[Finding]:
    namespace = provider["namespace"]
    offered = {
        f"{namespace}/{one['resourceType']}".lower(): one for one in provider["resourceTypes"]
    }
    for type_, version in sorted(types):
        found = offered.get(type_.lower())
        if found is None:
            continue  # Azure lists few of the types inside others.
        if version not in found.get("apiVersions", [version]):
            newest = max(found["apiVersions"], default="none")
            yield Finding(PROBLEM, type_, f"API version {version} is not offered; newest: {newest}",
                          "Lower its apiVersion in infra/arm/modules one step")  # fmt: skip
        places = {_plain(place) for place in found.get("locations") or []} - {"global"}
        if places and _plain(location) not in places:
            text = f"not offered in {location}"
            yield Finding(PROBLEM, type_, text, "Choose another `location`")


def _plain(location: str) -> str:
    return location.replace(" ", "").lower()


def features(subject: Subject) -> Iterator[Finding]:
    """A gateway without a public address needs a feature of the subscription."""
    if subject.on("exposure") != "gateway" or subject.on("gatewayFrontend") != "private":
        return
    where = f"{subject.arm.path}/providers/Microsoft.Features/providers/Microsoft.Network/features"
    found = subject.arm.get(f"{where}/{ISOLATION}", FEATURES)
    if found["properties"]["state"] == "Registered":
        yield Finding(OK, f"feature {ISOLATION}", "registered")
        return
    do = f"az feature register --namespace Microsoft.Network --name {ISOLATION}"
    yield Finding(PROBLEM, f"feature {ISOLATION}", found["properties"]["state"], do)


def rights(subject: Subject) -> Iterator[Finding]:
    """Whoever is signed in may deploy, give roles, and make the group where there is none."""
    scope = subject.arm.group(subject.group) if subject.group_exists else subject.arm.path
    path = f"{scope}/providers/Microsoft.Authorization/permissions"
    granted = list(subject.arm.list_all(path, RIGHTS))
    needed = (
        NEEDED
        | ({} if subject.group_exists else NEW_GROUP)
        | (LOCKS if subject.on("tier") == "prod" else {})
    )
    missing = {action: role for action, role in needed.items() if not _may(action, granted)}
    for action, role in missing.items():
        yield Finding(PROBLEM, "permission", f"{action} is missing", f"Role: {role}")
    if not missing:
        yield Finding(OK, "permissions", f"enough on {scope.rpartition('/')[2]}")


def _may(action: str, granted: list[Json]) -> bool:
    return any(
        _matches(action, one.get("actions") or [])
        and not _matches(action, one.get("notActions") or [])
        for one in granted
    )


def _matches(action: str, patterns: list[str]) -> bool:
    return any(
        re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), action, re.IGNORECASE)
        for pattern in patterns
    )


def deleted(subject: Subject) -> Iterator[Finding]:
    """Names that a deleted account or vault of this group still holds."""
    ai = f"{subject.arm.path}/providers/Microsoft.CognitiveServices/deletedAccounts"
    gone = [one for one in subject.arm.list_all(ai, AI) if _is_of(subject, str(one["id"]))]
    for one in gone:
        yield Finding(
            PROBLEM, f"Azure OpenAI account {one['name']}", "deleted; its name is kept 48 hours",
            f"az cognitiveservices account purge --name {one['name']}"
            f" --resource-group {subject.group} --location {one.get('location', 'REGION')}",
        )  # fmt: skip
    vaults = f"{subject.arm.path}/providers/Microsoft.KeyVault/deletedVaults"
    kept = [
        one
        for one in subject.arm.list_all(vaults, VAULTS)
        if _is_of(subject, str(one["properties"].get("vaultId", "")))
    ]
    for one in kept:
        until = str(one["properties"].get("scheduledPurgeDate", ""))[:10]
        yield Finding(PROBLEM, f"Key Vault {one['name']}", f"deleted, and kept until {until}",
                      f"Bring it back: az keyvault recover --name {one['name']}")  # fmt: skip
    if not gone and not kept:
        yield Finding(OK, "names", "none is held by a deleted resource of this group")


def _is_of(subject: Subject, id_: str) -> bool:
    """Whether a deleted resource was in our group: its name is made of the group's id."""
    found = re.search(r"/resourceGroups/([^/]+)/", id_, re.IGNORECASE)
    is_ours = bool(found and found[1].lower() == subject.group.lower())
    return is_ours and f"-{subject.on('name')}-" in f"-{id_.rpartition('/')[2]}-"


def existing(subject: Subject) -> Iterator[Finding]:
    """What is brought along (VNet, subnets, zones, workspace, account) is there."""
    for name, id_ in _given_ids(subject):
        version = VERSIONS.get(type_of(id_).lower())
        if version is None:
            text = f"could not be looked up: {type_of(id_)} is not expected here"
            yield Finding(UNKNOWN, name, text)
        elif subject.arm.find(id_, version) is None:
            yield Finding(PROBLEM, name, f"{id_} is not there", "Is it visible to you? See its id")
        else:
            yield Finding(OK, name, f"is there, in {group_of(id_)}")


def _given_ids(subject: Subject) -> Iterator[tuple[str, str]]:
    for name in sorted(subject.parameters.entries):
        value = subject.on(name)
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for key, text in inner:
            if isinstance(text, str) and is_id(text):
                yield (f"{name}.{key}" if key else name), text
