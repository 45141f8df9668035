"""What may flow between subnets: the security groups' rules, decided as Azure decides them.

Rules are tried by priority, the first that fits decides; Azure's own come last (articles/virtual-
network/network-security-groups-overview.md). A connection must be let out and let in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network

from tests.arm.evaluate import Evaluated
from tests.arm.rules.facts import SECURITY_GROUP, VNET, Json, dig, same

# What peering, VPN and ExpressRoute connect counts as VirtualNetwork too: here all of 10/8.
CONNECTED = ip_network("10.0.0.0/8")


@dataclass(frozen=True)
class Peer:
    """One end of a connection; `tags` are the service tags that its address belongs to."""

    address: IPv4Address
    tags: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()

    def matches(self, prefix: str) -> bool:
        """Whether a rule's prefix or service tag means this address."""
        if prefix in {"*", "0.0.0.0/0"} or prefix in self.tags:
            return True
        if prefix == "VirtualNetwork":
            return self.address in CONNECTED
        if prefix == "Internet":
            return self.address not in CONNECTED
        return prefix[:1].isdigit() and self.address in ip_network(prefix)


def peer(address: str, *tags: str, groups: Iterable[str] = ()) -> Peer:
    """A peer from its address."""
    found = ip_address(address)
    if not isinstance(found, IPv4Address):
        raise TypeError(f"{address} is no IPv4 address")
    return Peer(found, frozenset(tags), frozenset(id_.lower() for id_ in groups))


STRANGER = peer("203.0.113.77")
CLIENT = peer("10.99.0.9")
ENTRA = peer("20.190.128.1", "AzureActiveDirectory", "AzureCloud")
MANAGER = peer("20.21.35.1", "GatewayManager", "AzureCloud")
BALANCER = peer("168.63.129.16", "AzureLoadBalancer")


def _defaults() -> list[Json]:
    """Azure's own rules, which no group can take away."""
    listed = [
        ("Inbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
        ("Inbound", 65001, "Allow", "AzureLoadBalancer", "*"),
        ("Inbound", 65500, "Deny", "*", "*"),
        ("Outbound", 65000, "Allow", "VirtualNetwork", "VirtualNetwork"),
        ("Outbound", 65001, "Allow", "*", "Internet"),
        ("Outbound", 65500, "Deny", "*", "*"),
    ]
    return [
        {
            "direction": direction,
            "priority": priority,
            "access": access,
            "protocol": "*",
            "sourceAddressPrefix": source,
            "destinationAddressPrefix": destination,
            "destinationPortRange": "*",
        }
        for direction, priority, access, source, destination in listed
    ]


def _many(rule: Json, singular: str, plural: str) -> list[str]:
    single = rule.get(singular)
    return ([single] if single else []) + list(rule.get(plural) or [])


def _is_end(rule: Json, side: str, one: Peer) -> bool:
    groups = rule.get(f"{side}ApplicationSecurityGroups") or []
    if any(entry["id"].lower() in one.groups for entry in groups):
        return True
    prefixes = _many(rule, f"{side}AddressPrefix", f"{side}AddressPrefixes")
    return any(one.matches(prefix) for prefix in prefixes)


def _has_port(rule: Json, port: int) -> bool:
    for text in _many(rule, "destinationPortRange", "destinationPortRanges"):
        first, _, last = text.partition("-")
        if text == "*" or int(first) <= port <= int(last or first):
            return True
    return False


def allows(rules: list[Json], direction: str, source: Peer, target: Peer, port: int) -> bool:
    """Whether these rules let a TCP connection through in this direction."""
    own = [rule["properties"] for rule in rules if rule["properties"]["direction"] == direction]
    standard = [rule for rule in _defaults() if rule["direction"] == direction]
    for rule in sorted([*own, *standard], key=lambda rule: int(rule["priority"])):
        fits = rule["protocol"].lower() in {"*", "tcp"} and _has_port(rule, port)
        if fits and _is_end(rule, "source", source) and _is_end(rule, "destination", target):
            return bool(rule["access"] == "Allow")
    return False


@dataclass(frozen=True)
class Subnet:
    """A subnet that is made: its range and its security group's rules."""

    name: str
    peer: Peer
    rules: list[Json]

    def sends(self, target: Peer, port: int) -> bool:
        """Whether something in it may open a connection there."""
        return allows(self.rules, "Outbound", self.peer, target, port)

    def takes(self, source: Peer, port: int, groups: Iterable[str] = ()) -> bool:
        """Whether something in it, perhaps in an application security group, may be reached."""
        target = Peer(self.peer.address, groups=frozenset(id_.lower() for id_ in groups))
        return allows(self.rules, "Inbound", source, target, port)

    def reaches(self, other: "Subnet", port: int, groups: Iterable[str] = ()) -> bool:
        """Whether a connection is let out here and let in there."""
        return self.sends(other.peer, port) and other.takes(self.peer, port, groups)


def subnets_by_role(e: Evaluated) -> dict[str, Subnet]:
    """The subnets that are made: web, work, endpoints, gateway, resolver, jumpbox, bastion."""
    rules = {
        one.id.lower(): one.properties.get("securityRules", []) for one in e.of(SECURITY_GROUP)
    }
    found = {}
    for vnet in e.of(VNET):
        for subnet in vnet.properties["subnets"]:
            prefix = (
                subnet["properties"].get("addressPrefix")
                or (subnet["properties"]["addressPrefixes"][0])
            )
            group = dig(subnet, "properties.networkSecurityGroup.id") or ""
            address = ip_network(prefix)[5]
            role = {"AzureBastionSubnet": "bastion"}.get(
                subnet["name"], subnet["name"].rpartition("-")[2]
            )
            found[role] = Subnet(role, peer(str(address)), rules.get(group.lower(), []))
    return found


def has_group(e: Evaluated, subnet: Json) -> bool:
    """Whether a subnet has a security group that is made here."""
    group = dig(subnet, "properties.networkSecurityGroup.id") or ""
    return any(same(one.id, group) for one in e.of(SECURITY_GROUP))
