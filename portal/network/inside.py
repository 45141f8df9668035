"""One service, looked at from inside the virtual network: it must be private, and work."""

from contextlib import closing
from dataclasses import dataclass

from django.conf import settings

from portal.network import channel
from portal.network.access import Access, access_to, configured_host, redis_user
from portal.network.asking import Door
from portal.network.calls import CALLS
from portal.network.findings import Deadline, Findings, Problem, Skip
from portal.network.names import Lookup, NameServer, Resolver, addresses_of_system
from portal.network.plan import Address, Plan, Target
from portal.network.stores import ask_postgres, ask_redis

_NO_ADDRESS = "no address to connect to"
_AZURE_SECONDS = 2.0


@dataclass(frozen=True)
class Means:
    """What all services are looked at with."""

    plan: Plan
    resolver: Resolver
    azure_dns: NameServer


def inspect(findings: Findings, means: Means) -> None:
    """Take all steps; each goes on as far as it can, whatever the others found."""
    target, deadline = findings.target, findings.deadline
    lookup = means.resolver.look_up(target.host, deadline.wait())
    findings.lookup = lookup
    findings.step("dns", lambda: _names(lookup, target, means))
    if not lookup.addresses:
        for name in ("address", "tcp", "tls"):
            findings.skip(name, _NO_ADDRESS)
    else:
        findings.step("address", lambda: _addresses(lookup, target, means))
    reached = _connect(findings, lookup) if lookup.addresses else None
    access = access_to(target.service)
    token = findings.step("token", lambda: access.secret(findings)) if access.is_needed else ""
    if reached is None:
        findings.skip("call", "no connection that is the service's for sure")
    elif access.scope and not access.password and not token:
        findings.skip("call", "no token to call with")
    else:
        address = reached
        findings.step("call", lambda: _call(target, address, access, token or "", deadline))


def _connect(findings: Findings, lookup: Lookup) -> Address | None:
    """The first address, when it proved to be the service."""
    target, deadline = findings.target, findings.deadline
    if findings.step("tcp", lambda: _reach(target, lookup, deadline)) is None:
        findings.skip("tls", "no connection")
        return None
    address = lookup.addresses[0]
    return findings.step("tls", lambda: _trust(target, address, deadline))


def _names(lookup: Lookup, target: Target, means: Means) -> tuple[str, None]:
    servers = ", ".join(str(server) for server in means.resolver.servers)
    if lookup.failure == "silent":
        raise Problem("dns-silent", f"no answer from {servers} for {target.host}")
    if lookup.failure == "broken":
        raise Problem("dns-broken", f"{servers}{lookup.detail}, for {target.host}")
    if lookup.failure and lookup.private_name:
        raise Problem("record-missing", f"{lookup.private_name} has no address")
    if lookup.failure:
        knows = _ask_azure(target, means)
        is_known = knows is not None and not knows.failure
        raise Problem(
            "wrong-dns" if is_known else "name-unknown",
            f"{servers}: {target.host} does not exist or has no address",
        )
    return str(lookup), None


def _addresses(lookup: Lookup, target: Target, means: Means) -> tuple[str, None]:
    """Every address must be inside the network: a client takes any of them."""
    shown = ", ".join(str(address) for address in lookup.addresses)
    wrong = [address for address in lookup.addresses if not means.plan.holds(address)]
    if wrong:
        raise _wrong_address(wrong[0], lookup, target, means)
    if means.resolver.is_system:
        others = addresses_of_system(target.host) - set(lookup.addresses)
        if others:
            used = ", ".join(sorted(str(address) for address in others))
            raise Problem("hosts-differ", f"DNS says {shown}, but programs here get {used}")
    through = "" if lookup.private_name else ", though through no privatelink zone"
    return f"{shown} is inside the virtual network{through}", None


def _wrong_address(address: Address, lookup: Lookup, target: Target, means: Means) -> Problem:
    ranges = ", ".join(str(network) for network in means.plan.ranges)
    if address.is_loopback:
        return Problem("address-loopback", f"{address} is this machine itself")
    if not address.is_global:
        return Problem("address-elsewhere", f"{address} is private, but not in {ranges}")
    where = f"private zone {lookup.zone}" if lookup.zone else "no privatelink zone in the chain"
    return Problem(_why_public(lookup, target, means), f"{address} is public ({where})")


def _why_public(lookup: Lookup, target: Target, means: Means) -> str:
    """Which of the usual faults it is, as far as it can be found out from here."""
    if settings.APP_SERVICE_NAME and not settings.APP_SERVICE_ADDRESS:
        return "no-vnet-integration"
    if not lookup.private_name:
        return "no-private-endpoint"
    if means.azure_dns in means.resolver.servers:
        return "zone-not-linked"
    known = _ask_azure(target, means)
    if known is None or not known.addresses:
        return "zone-or-dns"
    is_right = all(means.plan.holds(address) for address in known.addresses)
    return "wrong-dns" if is_right else "zone-not-linked"


def _ask_azure(target: Target, means: Means) -> Lookup | None:
    """What Azure's own DNS says, which every virtual network can ask; None where it cannot."""
    if means.azure_dns in means.resolver.servers:
        return None
    lookup = Resolver((means.azure_dns,)).look_up(target.host, _AZURE_SECONDS)
    return None if lookup.failure in {"silent", "broken"} else lookup


def _reach(target: Target, lookup: Lookup, deadline: Deadline) -> tuple[str, bool]:
    for address in lookup.addresses:
        channel.open_tcp(address, target.port, deadline).close()
    return f"port {target.port} is open", True


def _trust(target: Target, address: Address, deadline: Deadline) -> tuple[str, Address]:
    with closing(channel.open_tls(target, address, deadline)) as secure:
        return channel.describe(secure), address


def _call(
    target: Target, address: Address, access: Access, token: str, deadline: Deadline
) -> tuple[str, bool]:
    name, host = configured_host(target.service)
    if name and host != target.host:
        raise Problem("settings-differ", f"{name} names {host or 'no server'}, not {target.host}")
    if access.reason:
        raise Skip(access.reason)
    secret = token or access.password
    if target.service == "postgres":
        return ask_postgres(target, address, secret, deadline), True
    if target.service == "redis":
        with closing(channel.open_tls(target, address, deadline)) as secure:
            secure.settimeout(deadline.wait())
            return ask_redis(secure, redis_user(), secret), True
    door = Door(target.host, lambda: channel.open_tls(target, address, deadline), deadline)
    return CALLS[target.service](door, token, access.password), True
