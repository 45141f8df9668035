"""What can be asked of a subscription before anything is deployed, and its answers."""

from collections.abc import Callable
from typing import Any

from tests.cloud.arm_answers import Answer
from tests.cloud.arm_azure import Azure
from tests.cloud.arm_call import Call

Handler = Callable[[Call], Answer]
SUBSCRIPTION = "^/subscriptions/[^/]+"
CAPABILITIES = f"{SUBSCRIPTION}/providers/microsoft.dbforpostgresql/.*/capabilities$"


def lookups(azure: Azure) -> list[tuple[str, str, Handler]]:
    """Method, address and handler of each."""
    ai = f"{SUBSCRIPTION}/providers/microsoft.cognitiveservices"
    return [
        ("GET", f"{SUBSCRIPTION}/providers/(?P<namespace>[a-z.]+)$",
         lambda call: Answer(200, azure.provider(call.names["namespace"]))),
        ("GET", f"{SUBSCRIPTION}/providers/microsoft.features/.*/features/(?P<name>[^/]+)$",
         lambda call: _feature(azure, call.names["name"])),
        ("GET", f"{SUBSCRIPTION}.*/providers/microsoft.authorization/permissions$",
         lambda _: _values([{"actions": azure.actions, "notActions": azure.not_actions}])),
        ("GET", f"{SUBSCRIPTION}.*/providers/microsoft.authorization/locks$",
         lambda call: _values(azure.locks_in(call.path.partition("/providers/")[0]))),
        ("GET", f"{ai}/locations/[^/]+/models$", lambda _: _values(azure.models)),
        ("GET", f"{ai}/locations/[^/]+/usages$", lambda _: _values(azure.usages)),
        ("GET", f"{ai}/deletedaccounts$", lambda _: _values(azure.deleted_accounts)),
        ("GET", f"{SUBSCRIPTION}/providers/microsoft.keyvault/deletedvaults$",
         lambda _: _values(azure.deleted_vaults)),
        ("GET", CAPABILITIES, lambda _: _values([_servers(azure)])),
    ]  # fmt: skip


def _values(entries: list[Any]) -> Answer:
    return Answer(200, {"value": entries})


def _feature(azure: Azure, name: str) -> Answer:
    state = "Registered" if name in azure.features else "NotRegistered"
    return Answer(200, {"name": name, "properties": {"state": state}})


def _servers(azure: Azure) -> dict[str, str]:
    zones = "Enabled" if azure.zone_redundant else "Disabled"
    return {"zoneRedundantHaSupported": zones, "restricted": "Disabled"}
