"""One service, looked at from outside: it must refuse, or not be there at all."""

import http
from contextlib import closing

from portal.network import channel
from portal.network.access import access_to
from portal.network.asking import Door, Reply
from portal.network.calls import HEALTH_PATH, MODELS_PATH, REGISTRY_PATH, SECRET_PATH, is_closed
from portal.network.findings import Deadline, Findings, Problem, Skip
from portal.network.inside import Means
from portal.network.names import Lookup
from portal.network.plan import Address, Target

_PATHS = {
    "openai": MODELS_PATH,
    "keyvault": SECRET_PATH,
    "registry": REGISTRY_PATH,
    "web": HEALTH_PATH,
}
# These ask who is there before they look at the network, so 401 proves nothing.
_ASKS_WHO_FIRST = frozenset({"keyvault"})
_NO_CONNECTION = frozenset(
    {"tcp-silent", "tcp-refused", "tcp-unreachable", "tls-cut", "tls-silent"}
)
_STOPPED = "this web app is stopped"
_CLOSED = "nothing is reached"
_SILENCE = " (a firewall on this side, closed for this port, would look the same)"


def inspect(findings: Findings, means: Means) -> None:
    """Go on until something refuses; what never refuses is public."""
    target, deadline = findings.target, findings.deadline
    lookup = means.resolver.look_up(target.host, deadline.wait())
    findings.lookup = lookup
    is_there = findings.step("dns", lambda: _names(lookup, means))
    if not is_there or findings.step("address", lambda: _addresses(lookup, means)) is None:
        return
    address = lookup.addresses[0]
    if not findings.step("tcp", lambda: _reach(target, address, deadline)):
        return
    if not findings.step("tls", lambda: _speak(target, address, deadline)):
        return
    is_needed = access_to(target.service).is_needed
    token = findings.step("token", lambda: _any_token(findings)) if is_needed else ""
    door = Door(target.host, lambda: channel.open_tls(target, address, deadline), deadline)
    findings.step("call", lambda: _call(target, door, token or ""))


def _names(lookup: Lookup, means: Means) -> tuple[str, bool]:
    servers = ", ".join(str(server) for server in means.resolver.servers)
    if lookup.failure == "silent":
        raise Problem("dns-silent", f"no answer from {servers} for {lookup.chain[0]}")
    if lookup.failure == "broken":
        raise Problem("dns-broken", f"{servers}{lookup.detail}, for {lookup.chain[0]}")
    return (str(lookup), True) if lookup.addresses else (f"{lookup}: {_CLOSED}", False)


def _addresses(lookup: Lookup, means: Means) -> tuple[str, bool]:
    shown = ", ".join(str(address) for address in lookup.addresses)
    if any(means.plan.holds(address) or not address.is_global for address in lookup.addresses):
        raise Problem("not-outside", f"{shown} is not public")
    return f"{shown} is public", True


def _reach(target: Target, address: Address, deadline: Deadline) -> tuple[str, bool]:
    try:
        channel.open_tcp(address, target.port, deadline).close()
    except Problem as problem:
        if problem.code not in _NO_CONNECTION:
            raise
        doubt = _SILENCE if problem.code == "tcp-silent" else ""
        return f"{problem.text}: {_CLOSED}{doubt}", False
    return f"port {target.port} is open", True


def _speak(target: Target, address: Address, deadline: Deadline) -> tuple[str, bool]:
    """TLS; a database that gets that far is open, whatever it asks for next."""
    try:
        with closing(channel.open_tls(target, address, deadline)) as secure:
            said = channel.describe(secure)
    except Problem as problem:
        if problem.code not in _NO_CONNECTION:
            raise
        return f"{problem.text}: {_CLOSED}", False
    if target.service not in _PATHS:
        raise Problem("is-public", f"{target.service} answers on {address}:{target.port} ({said})")
    return said, True


def _any_token(findings: Findings) -> tuple[str, str]:
    """A token makes the proof stronger, but nothing is wrong without one."""
    try:
        return access_to(findings.target.service).secret(findings)
    except Problem as problem:
        raise Skip(f"asked without one: {problem.text}") from None


def _call(target: Target, door: Door, token: str) -> tuple[str, bool]:
    reply = door.ask(_PATHS[target.service], token=token)
    if is_closed(reply):
        return f"refused: {reply}", True
    raise Problem(_why_open(target, reply, token), f"{reply} to GET {_PATHS[target.service]}")


def _why_open(target: Target, reply: Reply, token: str) -> str:
    if reply.status == http.HTTPStatus.FORBIDDEN and _STOPPED in reply.text.lower():
        return "site-stopped"
    is_unsure = target.service in _ASKS_WHO_FIRST and not token
    return "unproven" if is_unsure and reply.status == http.HTTPStatus.UNAUTHORIZED else "is-public"
