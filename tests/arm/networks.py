"""Template functions over address ranges."""

from collections.abc import Callable
from ipaddress import ip_network
from itertools import islice
from typing import Any

from tests.arm.expressions import TemplateError


def cidr_subnet(network: str, prefix: int, index: int) -> str:
    """The subnet of this size with this number."""
    try:
        subnets = ip_network(network, strict=False).subnets(new_prefix=prefix)
        return str(next(islice(subnets, index, None)))
    except (ValueError, StopIteration):
        raise TemplateError(f"cidrSubnet({network!r}, {prefix}, {index}) does not exist") from None


def cidr_host(network: str, index: int) -> str:
    """The usable address with this number: 0 is the first after the network's own."""
    return str(ip_network(network, strict=False)[index + 1])


def parse_cidr(text: str) -> dict[str, Any]:
    """The parts of a range."""
    network = ip_network(text, strict=False)
    return {
        "network": str(network.network_address),
        "netmask": str(network.netmask),
        "broadcast": str(network.broadcast_address),
        "firstUsable": str(network[1]),
        "lastUsable": str(network[-2]),
        "cidr": network.prefixlen,
    }


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cidrhost": cidr_host,
    "cidrsubnet": cidr_subnet,
    "parsecidr": parse_cidr,
}
