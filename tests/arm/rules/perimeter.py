"""Nothing is reachable from outside, but the gateway's address where there is one."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules.facts import (
    GATEWAY,
    OPENAI,
    POSTGRES,
    PUBLIC_ADDRESS,
    REGISTRY,
    VAULT,
    VNET,
    Json,
    dig,
    services,
    walk,
    wrong,
)

SWITCH = {POSTGRES: "properties.network.publicNetworkAccess"}
# What each service says besides, so that a switch turned on by hand would still admit nobody.
BESIDES: dict[str, Json] = {
    OPENAI: {"properties.networkAcls.defaultAction": "Deny"},
    VAULT: {"properties.networkAcls.defaultAction": "Deny", "properties.networkAcls.ipRules": []},
    REGISTRY: {"properties.networkRuleSet.defaultAction": "Deny"},
}
BASTION = "Microsoft.Network/bastionHosts"
NAT = "Microsoft.Network/natGateways"
# Rules that would let addresses or whole networks in from outside of private endpoints.
HOLES = {
    "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
    "Microsoft.Network/loadBalancers",
    "Microsoft.Network/virtualNetworkGateways",
    "Microsoft.Web/sites/hostNameBindings",
}


def public_access_is_off(e: Evaluated) -> list[str]:
    """Every service refuses what does not come through its private endpoint."""
    found = []
    for service in services(e):
        path = SWITCH.get(service.type, "properties.publicNetworkAccess")
        found += wrong(service, {path: "Disabled", **BESIDES.get(service.type, {})})
    return found


def nothing_switches_public_access_on(e: Evaluated) -> list[str]:
    """No property anywhere, of whatever type, enables access from public networks.

    Queries of the log workspace are the exception: people ask it in Azure's portal, signed in.
    """
    return [
        f"{one.type} {one.name}: {path} is {value}"
        for one in e.resources
        for path, value in walk(one.body)
        if "publicnetworkaccess" in path.lower()
        and not path.endswith("publicNetworkAccessForQuery")
        and value != "Disabled"
    ]


def no_hole_is_made(e: Evaluated) -> list[str]:
    """No firewall rule, no balancer, no gateway of another kind stands beside the perimeter."""
    return [f"{one.type} {one.name} lets in from outside" for one in e.of(*HOLES)]


def public_addresses_belong_to_the_gateway(e: Evaluated) -> list[str]:
    """A public address is the gateway's, or with a jump box Bastion's and its NAT gateway's."""
    users = {
        str(value).lower(): one.type
        for one in e.of(GATEWAY, BASTION, NAT, "Microsoft.Network/networkInterfaces")
        for path, value in walk(one.body)
        if path.lower().endswith(("publicipaddress.id", "publicipaddresses[0].id"))
    }
    return [
        f"public address {one.name} is used by {users.get(one.id.lower(), 'nothing')}"
        for one in e.of(PUBLIC_ADDRESS)
        if users.get(one.id.lower()) not in {GATEWAY, BASTION, NAT}
    ]


def subnets_have_no_way_out_of_their_own(e: Evaluated) -> list[str]:
    """No subnet gets an address for outgoing traffic from Azure by default."""
    return [
        f"subnet {subnet['name']}: defaultOutboundAccess is not false"
        for vnet in e.of(VNET)
        for subnet in vnet.properties["subnets"]
        if dig(subnet, "properties.defaultOutboundAccess") is not False
    ]


RULES = (
    public_access_is_off,
    nothing_switches_public_access_on,
    no_hole_is_made,
    public_addresses_belong_to_the_gateway,
    subnets_have_no_way_out_of_their_own,
)
