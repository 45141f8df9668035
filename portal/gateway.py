"""Whose forwarded headers are believed, as an ASGI layer before everything else.

Application Gateway tells of a request in X-Forwarded-For (`address:port`, appended),
X-Forwarded-Proto and X-Original-Host; App Service's front end, between it and us, only appends to
the first and sets the second (learn.microsoft.com, "How an application gateway works"). Both are
believed by their addresses only: GATEWAY_NETWORKS and PLATFORM_NETWORKS. Everybody else's word
changes nothing, and what is not understood here reaches nobody behind.
"""

import ipaddress
import itertools
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]
Network = IPv4Network | IPv6Network

# Hops that are looked at; a client may send a list of any length, and it is read from the end.
MOST_HOPS = 16
_HOP = re.compile(
    r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::(?P<port6>[0-9]{1,5}))?"
    r"|(?P<v4>[0-9.]+)(?::(?P<port4>[0-9]{1,5}))?"
    r"|(?P<bare>[0-9A-Fa-f:.]+)"
)
_FORWARDED_FOR = b"x-forwarded-for"
_FORWARDED_PROTO = b"x-forwarded-proto"
_ORIGINAL_HOST = b"x-original-host"
# For us alone, or for nobody: x-ms-client-principal is how App Service's own sign-in names a user.
_TAKEN_OUT = (b"x-forwarded-", b"x-original-", b"x-ms-client-principal")
_TAKEN_OUT_WHOLE = frozenset({b"forwarded", b"x-forwarded", b"x-real-ip", b"x-client-ip"})


@dataclass(frozen=True)
class Hop:
    """Who sent a request on: an address, and the port where it is known."""

    address: IPv4Address | IPv6Address
    port: int = 0

    def is_in(self, networks: Sequence[Network]) -> bool:
        """Whether it belongs to one of them."""
        return any(self.address in network for network in networks)


@dataclass(frozen=True)
class Trust:
    """The networks of the gateway, and of the platform's hops between it and us."""

    gateway: Sequence[Network] = ()
    platform: Sequence[Network] = ()


class ForwardedHeaders:
    """Puts client, scheme and host of a request right, and takes out the headers that told them."""

    def __init__(self, application: Application, trust: Trust) -> None:
        self._application = application
        self._trust = trust

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as it was before it met the gateway."""
        if scope["type"] == "http":
            scope = _as_sent(scope, self._trust)
        await self._application(scope, receive, send)


def _as_sent(scope: Scope, trust: Trust) -> Scope:
    headers: Headers = scope["headers"]
    told = {**scope, "headers": [header for header in headers if not _is_taken_out(header[0])]}
    platform, rest = _split(_hops(scope.get("client"), headers), trust.platform)
    gateway, clients = _split(rest, trust.gateway)
    if platform or gateway:
        told["scheme"] = _scheme(headers) or scope["scheme"]
    if gateway:
        told["headers"] = _with_host(told["headers"], _last(headers, _ORIGINAL_HOST))
    for hop in clients[:1] or gateway[-1:] or platform[-1:]:
        told["client"] = (str(hop.address), hop.port)
    return told


def _split(hops: Iterable[Hop], networks: Sequence[Network]) -> tuple[list[Hop], list[Hop]]:
    """The first hops, as far as they are in these networks, and those after them."""
    hops = list(hops)
    inside = [*itertools.takewhile(lambda hop: hop.is_in(networks), hops)]
    return inside, hops[len(inside) :]


def _hops(client: Sequence[Any] | None, headers: Headers) -> Iterator[Hop]:
    """The peer, then X-Forwarded-For from its end, as far as it can be read."""
    lines = [value for name, value in headers if name == _FORWARDED_FOR]
    entries = b",".join(lines).rsplit(b",", MOST_HOPS)[-MOST_HOPS:]
    address, port = client or ("", 0)
    peer = _read_hop(str(address).partition("%")[0])
    nearest_first = (_read_hop(entry.decode("latin1")) for entry in reversed(entries))
    hops = itertools.chain([peer and replace(peer, port=int(port or 0))], nearest_first)
    for hop in hops:
        if hop is None:
            return
        yield hop


def _read_hop(text: str) -> Hop | None:
    """`address`, `address:port` or `[address]:port`; None for anything else."""
    found = _HOP.fullmatch(text.strip())
    if not found:
        return None
    try:
        address = ipaddress.ip_address(found["v6"] or found["v4"] or found["bare"])
    except ValueError:
        return None
    return Hop(_plain(address), int(found["port6"] or found["port4"] or 0))


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that came in IPv6's clothes is that IPv4 address."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _scheme(headers: Headers) -> str:
    """What the nearest of those who are believed says of how it was reached; empty if nothing."""
    said = _last(headers, _FORWARDED_PROTO).decode("latin1").rpartition(",")[2].strip().lower()
    return said if said in {"http", "https"} else ""


def _with_host(headers: Headers, host: bytes) -> Headers:
    """With this Host; as they are where the gateway named none."""
    if not host:
        return headers
    return [(b"host", host), *(header for header in headers if header[0] != b"host")]


def _last(headers: Headers, name: bytes) -> bytes:
    """The value of the last header of this name: the nearest hop's; empty without one."""
    return next((value for found, value in reversed(headers) if found == name), b"")


def _is_taken_out(name: bytes) -> bool:
    """Whether nobody behind may see it: it tells of hops, or could be taken for one that does."""
    return b"_" in name or name in _TAKEN_OUT_WHOLE or name.startswith(_TAKEN_OUT)
