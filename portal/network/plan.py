"""Which names the deployment has, and which addresses they may have.

As the templates write it into the setting NETWORK_PLAN,
`{"ranges": ["10.52.0.0/22"], "names": {"openai": "<resource>.openai.azure.com", ...}}`, or as
`manage.py infra outputs --json` prints it. A name may carry a port, `host:port`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# Ports: https, PostgreSQL, and Azure Managed Redis
# (https://learn.microsoft.com/azure/redis/architecture).
PORTS = {
    "openai": 443,
    "postgres": 5432,
    "redis": 10000,
    "keyvault": 443,
    "registry": 443,
    "web": 443,
}
# The output of the templates for each name.
_OUTPUTS = {
    "openai": "openAiEndpoint",
    "postgres": "postgresHost",
    "redis": "redisHost",
    "keyvault": "keyVaultUri",
    "registry": "registryLoginServer",
    "web": "webHost",
}
_RANGES_OUTPUT = "vnetAddressPrefixes"
_SHAPE = '{"ranges": ["10.52.0.0/22"], "names": {"openai": "...", ...}}'


class PlanError(Exception):
    """The plan cannot be used; the text says why, in one line."""


@dataclass(frozen=True)
class Target:
    """A service, where it should be."""

    service: str
    host: str
    port: int


@dataclass(frozen=True)
class Plan:
    """The addresses of the virtual network, and the services whose names lead there."""

    ranges: tuple[Network, ...]
    targets: tuple[Target, ...]

    def holds(self, address: Address) -> bool:
        """Whether this address is inside the virtual network."""
        return any(address in network for network in self.ranges)

    def only(self, services: list[str]) -> "Plan":
        """The plan of these services alone; raises PlanError for one that it does not name."""
        known = {target.service for target in self.targets}
        for service in services:
            if service not in known:
                raise PlanError(f"the plan names no {service}, only {', '.join(sorted(known))}")
        wanted = tuple(target for target in self.targets if target.service in services)
        return Plan(self.ranges, wanted)


def read_plan(text: str) -> Plan:
    """The plan in this JSON, of either shape. Raises PlanError."""
    try:
        content = json.loads(text)
    except ValueError:
        raise PlanError(f"it must be JSON like {_SHAPE}, or the outputs of the templates") from None
    if not isinstance(content, dict):
        raise PlanError(f"it must be a JSON object like {_SHAPE}")
    shape = content if "names" in content else _from_outputs(content)
    ranges, names = shape.get("ranges"), shape.get("names")
    if not ranges or not isinstance(ranges, list):
        raise PlanError("it names no address range of the virtual network")
    if not names or not isinstance(names, Mapping):
        raise PlanError("it names no service")
    targets = [_target(service, name) for service, name in names.items() if name]
    return Plan(
        tuple(_network(text) for text in ranges),
        tuple(sorted(targets, key=lambda target: list(PORTS).index(target.service))),
    )


def _from_outputs(outputs: dict[str, Any]) -> dict[str, Any]:
    """The same from outputs: plain values, or `{"type": ..., "value": ...}` as Azure gives them."""
    plain = {
        name: output.get("value") if isinstance(output, dict) else output
        for name, output in outputs.items()
    }
    names = {service: plain.get(output) for service, output in _OUTPUTS.items()}
    return {
        "ranges": plain.get(_RANGES_OUTPUT),
        "names": {service: name for service, name in names.items() if name},
    }


def _network(text: object) -> Network:
    try:
        return ip_network(str(text))
    except ValueError:
        raise PlanError(f"{text} is no address range like 10.52.0.0/22") from None


def _target(service: object, name: object) -> Target:
    """Of a host, a host with its port, or an address of the web."""
    if service not in PORTS:
        raise PlanError(f"{service} is no service; there are {', '.join(PORTS)}")
    text = str(name)
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or _is_address(host):
        raise PlanError(f"{name} is no host name, as {service}")
    return Target(str(service), host.rstrip("."), port or PORTS[str(service)])


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
