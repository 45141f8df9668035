"""Names: which addresses they lead to, and through which other names.

Asks the DNS servers of /etc/resolv.conf, as every program of the machine does, and keeps the chain
of CNAME records, which the operating system does not tell.
"""

import socket
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from portal.network.plan import Address

# Azure's own DNS, the same address in every virtual network
# (https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16).
AZURE_DNS = "168.63.129.16"
PRIVATE_LABEL = "privatelink"
_DNS_PORT = 53
_ONE_SERVER_SECONDS = 2.0
_LONGEST_CHAIN = 8
_FAILURES = {
    "no-name": "no such name",
    "no-address": "no address",
    "silent": "no answer",
    "broken": "error",
}


class NameServer(NamedTuple):
    """A DNS server."""

    address: str
    port: int = _DNS_PORT

    def __str__(self) -> str:
        """As a person writes it."""
        return self.address if self.port == _DNS_PORT else f"{self.address}:{self.port}"


@dataclass(frozen=True)
class Lookup:
    """What DNS says of a name: the names that it stands for, its addresses, or why there are none.

    `failure` is empty, or `no-name` (it does not exist), `no-address` (it exists), `silent` (no
    server answered), `broken` (they answered with an error, which `detail` names).
    """

    chain: tuple[str, ...]
    addresses: tuple[Address, ...] = ()
    failure: str = ""
    detail: str = ""

    @property
    def private_name(self) -> str:
        """The name in a `privatelink` zone that the chain passes; empty when it passes none."""
        return next((name for name in self.chain if f".{PRIVATE_LABEL}." in name), "")

    @property
    def zone(self) -> str:
        """That zone."""
        return self.private_name[max(0, self.private_name.find(PRIVATE_LABEL)) :]

    def __str__(self) -> str:
        """The whole chain, in one line."""
        failure = _FAILURES.get(self.failure, self.failure)
        ends = [str(address) for address in self.addresses] or [f"({failure}{self.detail})"]
        return " -> ".join([*self.chain, ", ".join(ends)])


@dataclass
class Resolver:
    """Asks DNS servers."""

    servers: tuple[NameServer, ...]
    is_system: bool = field(default=False)

    @classmethod
    def of_system(cls) -> "Resolver":
        """The servers that this machine asks. Raises OSError where none is configured."""
        try:
            configured = dns.resolver.Resolver()
        except dns.resolver.NoResolverConfiguration:
            raise OSError("/etc/resolv.conf names no DNS server") from None
        servers = tuple(NameServer(str(address)) for address in configured.nameservers)
        return cls(servers, is_system=True)

    def look_up(self, name: str, seconds: float) -> Lookup:
        """The IPv4 and IPv6 addresses of this name; never raises for what DNS says."""
        found = self._follow(name, dns.rdatatype.A, seconds)
        if found.failure in {"silent", "broken", "no-name"}:
            return found
        further = self._follow(name, dns.rdatatype.AAAA, seconds).addresses
        addresses = (*found.addresses, *further)
        return replace(found, addresses=addresses, failure="" if addresses else found.failure)

    def _follow(self, name: str, kind: dns.rdatatype.RdataType, seconds: float) -> Lookup:
        """Ask again where a server names an alias and leaves it at that."""
        found = Lookup((name,))
        for _ in range(_LONGEST_CHAIN):
            before = found.chain
            found = self._ask(found, kind, seconds)
            if found.failure != "no-address" or found.chain == before:
                return found
        return found

    def _ask(self, so_far: Lookup, kind: dns.rdatatype.RdataType, seconds: float) -> Lookup:
        try:
            return self._answer(so_far, kind, seconds)
        except dns.resolver.LifetimeTimeout:
            return replace(so_far, failure="silent")
        except dns.resolver.NoNameservers as error:
            return replace(so_far, failure="broken", detail=_what_they_say(error))
        except dns.exception.DNSException as error:
            return replace(so_far, failure="broken", detail=f": {type(error).__name__}")

    def _answer(self, so_far: Lookup, kind: dns.rdatatype.RdataType, seconds: float) -> Lookup:
        question = dns.name.from_text(so_far.chain[-1])
        try:
            answer = self._resolver().resolve(
                question, kind, raise_on_no_answer=False, lifetime=seconds, search=False
            )
        except dns.resolver.NXDOMAIN as error:
            return _read(so_far, error.kwargs["responses"][question], "no-name")
        return _read(so_far, answer.response, "no-address")

    def _resolver(self) -> dns.resolver.Resolver:
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [server.address for server in self.servers]
        resolver.nameserver_ports = {server.address: server.port for server in self.servers}
        resolver.timeout = _ONE_SERVER_SECONDS
        return resolver


def addresses_of_system(name: str) -> set[Address]:
    """What programs get for this name, the hosts file included; empty where they get nothing."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {ip_address(str(entry[4][0]).partition("%")[0]) for entry in found}


def parse_server(text: str) -> NameServer:
    """Of `10.0.0.4`, `10.0.0.4:5353` or `[fd00::4]:5353`. Raises ValueError."""
    bracketed, _, port = text.removeprefix("[").partition("]:")
    if not text.startswith("["):
        bracketed, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
    address = ip_address(bracketed.rstrip("]"))
    return NameServer(str(address), int(port) if port else _DNS_PORT)


def _read(so_far: Lookup, message: dns.message.Message, failure: str) -> Lookup:
    """The aliases and addresses of an answer, behind those that are known."""
    chained = dns.message.QueryMessage.resolve_chaining(message)  # type: ignore[arg-type]  # it is one
    aliases = [_text(rrset[0].target) for rrset in chained.cnames]
    addresses = [ip_address(record.address) for record in chained.answer or ()]
    return Lookup(
        chain=(*so_far.chain, *aliases),
        addresses=tuple(addresses),
        failure="" if addresses else failure,
    )


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True)


def _what_they_say(error: dns.resolver.NoNameservers) -> str:
    """The error codes of all servers that gave one."""
    responses = [entry[4] for entry in error.kwargs.get("errors", ()) if entry[4] is not None]
    codes = {dns.rcode.to_text(response.rcode()) for response in responses} - {"NOERROR"}
    return f": {', '.join(sorted(codes)) or 'an answer that makes no sense'}"
