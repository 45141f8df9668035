"""Seeded faults of the perimeter, endpoints and paths: exactly the rule for each complains."""

from typing import Any

import pytest

from tests.arm.faults import Fault, add, caught, drop, edit, put, setting, without
from tests.arm.rules import facts

PRIVATE = "private-dev"
GATEWAY = "gateway-prod"
GROUP = facts.SECURITY_GROUP

ANYWHERE: dict[str, Any] = {
    "name": "open",
    "properties": {
        "priority": 99,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "*",
        "sourceAddressPrefix": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "*",
    },
}


def only(*ports: str) -> Any:
    """Security rules whose lists of ports are cut down to these."""

    def change(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for rule in rules:
            if len(rule["properties"].get("destinationPortRanges") or []) > 2:
                rule["properties"]["destinationPortRanges"] = list(ports)
        return rules

    return change


def unguarded(subnets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Subnets in which no security group holds for private endpoints."""
    off = {"privateEndpointNetworkPolicies": "Disabled"}
    return [{**one, "properties": {**one["properties"], **off}} for one in subnets]


FAULTS: dict[str, Fault] = {
    # ── Perimeter ──
    "database open to the Internet": (
        PRIVATE,
        put(facts.POSTGRES, "properties.network.publicNetworkAccess", "Enabled"),
        "public_access_is_off nothing_switches_public_access_on",
    ),
    "public flag left out": (
        PRIVATE,
        put(facts.OPENAI, "properties.publicNetworkAccess", None),
        "public_access_is_off nothing_switches_public_access_on",
    ),
    "vault's firewall lets all in": (
        PRIVATE,
        put(facts.VAULT, "properties.networkAcls.defaultAction", "Allow"),
        "public_access_is_off",
    ),
    "firewall rule for all of Azure": (
        PRIVATE,
        add(f"{facts.POSTGRES}/firewallRules", "AllowAzure", {"startIpAddress": "0.0.0.0"}),
        "no_hole_is_made",
    ),
    "public address that nothing needs": (
        PRIVATE,
        add(facts.PUBLIC_ADDRESS, "pip-spare", {}),
        "public_addresses_belong_to_the_gateway everything_logs_to_the_workspace",
    ),
    "way out for a subnet by default": (
        PRIVATE,
        put(facts.VNET, "properties.subnets.1.properties.defaultOutboundAccess", value=True),
        "subnets_have_no_way_out_of_their_own",
    ),
    # ── Endpoints and names ──
    "endpoint missing": (
        PRIVATE,
        drop(facts.ENDPOINT, "redis"),
        "every_service_has_a_private_endpoint every_host_in_the_settings_is_one_of_ours",
    ),
    "endpoint of the wrong kind": (
        PRIVATE,
        put(
            facts.ENDPOINT,
            "properties.privateLinkServiceConnections.0.properties.groupIds",
            ["redisCache"],
            "redis",
        ),
        "every_service_has_a_private_endpoint",
    ),
    "endpoint in the apps' subnet": (
        PRIVATE,
        edit(facts.ENDPOINT, "properties.subnet.id", lambda id_: id_[:-9] + "web", "redis"),
        "every_endpoint_is_in_the_guarded_subnet",
    ),
    "security groups ignored by endpoints": (
        PRIVATE,
        edit(facts.VNET, "properties.subnets", unguarded),
        "every_endpoint_is_in_the_guarded_subnet",
    ),
    "wrong zone": (
        PRIVATE,
        edit(
            facts.ZONE_GROUP,
            "properties.privateDnsZoneConfigs.0.properties.privateDnsZoneId",
            lambda id_: id_.replace("redis.azure.net", "redisenterprise.cache.azure.net"),
            "redis",
        ),
        (
            "every_endpoint_writes_its_names every_zone_that_is_written_to_exists_once"
            " every_host_in_the_settings_is_private"
        ),
    ),
    "one zone of three": (
        PRIVATE,
        edit(facts.ZONE_GROUP, "properties.privateDnsZoneConfigs", lambda all_: all_[:1], "openai"),
        (
            "every_endpoint_writes_its_names every_zone_that_is_written_to_exists_once"
            " every_host_in_the_settings_is_private"
        ),
    ),
    "zone not linked": (
        PRIVATE,
        drop(facts.ZONE_LINK, "privatelink.postgres.database.azure.com"),
        "every_zone_of_ours_is_linked",
    ),
    "zone linked to the hub alone": (
        PRIVATE,
        put(facts.ZONE_LINK, "properties.virtualNetwork.id", "/other", "privatelink.azurecr.io"),
        "every_zone_of_ours_is_linked",
    ),
    "zone of another service": (
        PRIVATE,
        add(facts.ZONE, "privatelink.blob.core.windows.net", {}),
        (
            "no_zone_is_named_wrongly every_zone_of_ours_is_linked"
            " every_zone_that_is_written_to_exists_once"
        ),
    ),
    "host of somebody else's": (
        PRIVATE,
        setting("worker", "AZURE_OPENAI_ENDPOINT", "https://old.openai.azure.com/"),
        "every_host_in_the_settings_is_one_of_ours settings_name_what_is_deployed",
    ),
    # ── Paths ──
    "port of Redis left out": (
        PRIVATE,
        edit(GROUP, "properties.securityRules", only("443", "5432"), "nsg-atrium-work"),
        "apps_reach_every_service",
    ),
    "port of PostgreSQL left out at the endpoints": (
        PRIVATE,
        edit(GROUP, "properties.securityRules", only("443", "10000"), "endpoints"),
        "apps_reach_every_service",
    ),
    "subnet without a security group": (
        PRIVATE,
        put(facts.VNET, "properties.subnets.0.properties.networkSecurityGroup", None),
        "every_subnet_has_a_security_group nothing_else_flows",
    ),
    "endpoints open to all": (
        PRIVATE,
        edit(GROUP, "properties.securityRules", lambda all_: [*all_, ANYWHERE], "endpoints"),
        "clients_reach_the_portal_alone nothing_else_flows",
    ),
    "last denial left out": (
        PRIVATE,
        edit(GROUP, "properties.securityRules", without("nothing-else-out"), "nsg-atrium-web"),
        "nothing_else_flows",
    ),
    "way to Entra left out": (
        PRIVATE,
        edit(GROUP, "properties.securityRules", without("to-entra"), "nsg-atrium-web"),
        "apps_reach_entra",
    ),
    "gateway cut off from the portal": (
        GATEWAY,
        edit(GROUP, "properties.securityRules", without("gateway"), "endpoints"),
        "gateway_reaches_the_portal",
    ),
    "gateway cut off from Azure": (
        GATEWAY,
        edit(
            GROUP,
            "properties.securityRules",
            without("azure-manages-gateway"),
            "nsg-atrium-gateway",
        ),
        "gateway_reaches_the_portal",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_the_rules_for_a_fault_complain(fault: str) -> None:
    found, expected = caught(*FAULTS[fault])

    assert found == expected
