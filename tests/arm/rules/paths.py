"""Which paths the security groups leave open, and that they leave open no others."""

from collections.abc import Iterator

from tests.arm.evaluate import Evaluated
from tests.arm.rules.facts import ENDPOINT, GATEWAY, SERVICES, VNET, dig, services
from tests.arm.rules.flows import (
    BALANCER,
    CLIENT,
    ENTRA,
    MANAGER,
    STRANGER,
    Subnet,
    has_group,
    subnets_by_role,
)

# Ports that something listens on somewhere, to be tried where nothing may pass.
PORTS = (22, 53, 80, 443, 3389, 5432, 6379, 8000, 10000, 12345)


def every_subnet_has_a_security_group(e: Evaluated) -> list[str]:
    """No subnet without rules of its own."""
    return [
        f"subnet {subnet['name']} has no security group"
        for vnet in e.of(VNET)
        for subnet in vnet.properties["subnets"]
        if not has_group(e, subnet)
    ]


def apps_reach_every_service(e: Evaluated) -> list[str]:
    """From both app subnets to the endpoints, on each service's port."""
    by_role = subnets_by_role(e)
    ports = {SERVICES[one.type].port for one in services(e)}
    return [
        f"{name} does not reach the endpoints on port {port}"
        for name in ("web", "work")
        for port in sorted(ports)
        if by_role and not by_role[name].reaches(by_role["endpoints"], port)
    ]


def apps_reach_entra(e: Evaluated) -> list[str]:
    """Tokens come from Microsoft Entra, which has no private endpoint."""
    by_role = subnets_by_role(e)
    return [
        f"{name} does not reach Entra"
        for name in ("web", "work")
        if by_role and not by_role[name].sends(ENTRA, 443)
    ]


def gateway_reaches_the_portal(e: Evaluated) -> list[str]:
    """Clients reach the gateway, the gateway the portal's endpoint, and Azure the gateway."""
    by_role = subnets_by_role(e)
    if not by_role or not e.of(GATEWAY):
        return []
    gateway = by_role["gateway"]
    source = STRANGER if e.outputs.get("gatewayPublicIp") else CLIENT
    steps = {
        "clients do not reach the gateway": gateway.takes(source, 443),
        "clients are not redirected from port 80": gateway.takes(source, 80),
        "Azure does not manage the gateway": gateway.takes(MANAGER, 65210),
        "Azure's probes do not reach the gateway": gateway.takes(BALANCER, 443),
        "the gateway does not reach the portal": gateway.reaches(by_role["endpoints"], 443),
    }
    return [complaint for complaint, is_open in steps.items() if not is_open]


def clients_reach_the_portal_alone(e: Evaluated) -> list[str]:
    """Without a gateway, connected networks reach the portal's endpoint and no other."""
    by_role = subnets_by_role(e)
    if not by_role:
        return []
    endpoints, groups = by_role["endpoints"], _portal_groups(e)
    reaches_portal = endpoints.takes(CLIENT, 443, groups)
    found = []
    if reaches_portal is bool(e.of(GATEWAY)):
        found.append(f"clients reach the portal past its entrance: {reaches_portal}")
    found += [
        f"clients reach the endpoints on port {port}"
        for port in PORTS
        if endpoints.takes(CLIENT, port)
    ]
    return found


def _portal_groups(e: Evaluated) -> list[str]:
    return [
        entry["id"]
        for one in e.of(ENDPOINT)
        for entry in dig(one.body, "properties.applicationSecurityGroups") or []
    ]


def nothing_else_flows(e: Evaluated) -> list[str]:
    """What no rule needs is refused: inside the network, in from outside, and out to it."""
    by_role = subnets_by_role(e)
    return [f"{what} on port {port}" for what, port, is_open in _forbidden(by_role) if is_open]


def _forbidden(by_role: dict[str, Subnet]) -> Iterator[tuple[str, int, bool]]:
    """What must not pass, with the port and whether it does."""
    for port in PORTS:
        for name in by_role.keys() - {"gateway", "bastion"}:
            yield f"the Internet reaches {name}", port, by_role[name].takes(STRANGER, port)
        for name in by_role.keys() & {"web", "work", "endpoints"}:
            yield f"{name} reaches the Internet", port, by_role[name].sends(STRANGER, port)
        for name in by_role.keys() & {"web", "work"}:
            yield f"{name} can be reached", port, by_role[name].takes(CLIENT, port)
        if "gateway" in by_role and port != 443:
            path = by_role["gateway"].reaches(by_role["endpoints"], port)
            yield "the gateway reaches the endpoints", port, path


RULES = (
    every_subnet_has_a_security_group,
    apps_reach_every_service,
    apps_reach_entra,
    gateway_reaches_the_portal,
    clients_reach_the_portal_alone,
    nothing_else_flows,
)
