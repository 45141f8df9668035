"""The gateway: streams flow through it, it keeps host and address, and TLS ends at it."""

from collections.abc import Iterator
from typing import Any

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.rules.facts import GATEWAY, VAULT, dig, wrong

# Django's own setting is read in the tests; here is what the gateway must be above.
HEARTBEAT_SECONDS = 15
# App Gateway's limits: articles/application-gateway (application-gateway-limits.md).
LONGEST_REQUEST, LONGEST_DRAIN = 86_400, 3_600
READY_PATH = "/readyz"


def part(gateway: Resource, name: str) -> list[dict[str, Any]]:
    """One of the gateway's lists, each entry's properties with its name."""
    listed = gateway.properties.get(name) or []
    return [{"name": entry["name"], **entry.get("properties", {})} for entry in listed]


def streams_are_not_held_back(e: Evaluated) -> list[str]:
    """Response buffering is off: else events come in lumps."""
    path = "properties.globalConfiguration.enableResponseBuffering"
    return [line for one in e.of(GATEWAY) for line in wrong(one, {path: False})]


def silence_is_longer_than_a_heartbeat(e: Evaluated) -> list[str]:
    """The backend may be silent for several heartbeats; an update waits for open streams."""
    found = []
    for gateway in e.of(GATEWAY):
        for one in part(gateway, "backendHttpSettingsCollection"):
            timeout, drain = one.get("requestTimeout", 0), one.get("connectionDraining") or {}
            if not 4 * HEARTBEAT_SECONDS <= timeout <= LONGEST_REQUEST:
                found.append(f"{one['name']}: requests time out after {timeout} s")
            seconds = drain.get("drainTimeoutInSec", 0)
            if not drain.get("enabled") or not 600 <= seconds <= LONGEST_DRAIN:
                found.append(f"{one['name']}: drains for {seconds} s")
            if one.get("cookieBasedAffinity") != "Disabled":
                found.append(f"{one['name']} sticks to one instance")
    return found


def the_host_name_is_kept(e: Evaluated) -> list[str]:
    """The backend is asked over HTTPS, for the name that people type or for web's own.

    With web's own, the portal learns the name from X-Original-Host, which the gateway sets.
    """
    hosts = {e.outputs.get("hostName"), e.outputs.get("webHost")}
    return [
        f"{one['name']}: {one.get('protocol')} to {one.get('port')}, host {one.get('hostName')}"
        for gateway in e.of(GATEWAY)
        for one in part(gateway, "backendHttpSettingsCollection")
        if one.get("pickHostNameFromBackendAddress")
        or one.get("hostName") not in hosts
        or (one.get("protocol"), one.get("port")) != ("Https", 443)
    ]


def the_probe_asks_whether_the_portal_is_ready(e: Evaluated) -> list[str]:
    """Each gateway has a probe, and only 2xx counts."""
    found = [f"{one.name} has no probe" for one in e.of(GATEWAY) if not part(one, "probes")]
    good = (["200"], ["200-200"], ["200-299"])
    return found + [
        f"{one['name']} looks at {one.get('path')} for {dig(one, 'match.statusCodes')}"
        for gateway in e.of(GATEWAY)
        for one in part(gateway, "probes")
        if one.get("path") != READY_PATH or dig(one, "match.statusCodes") not in good
    ]


def the_backend_is_the_web_site(e: Evaluated) -> list[str]:
    """The only backend is web's own host name, which is private."""
    return [
        f"{gateway.name}: the backends are {pool.get('backendAddresses')}"
        for gateway in e.of(GATEWAY)
        for pool in part(gateway, "backendAddressPools")
        if pool.get("backendAddresses") != [{"fqdn": e.outputs.get("webHost")}]
    ]


def plain_http_is_redirected(e: Evaluated) -> list[str]:
    """What comes on port 80 is sent to HTTPS for good, and reaches no backend."""
    return [complaint for gateway in e.of(GATEWAY) for complaint in _plain(gateway)]


def _plain(gateway: Resource) -> Iterator[str]:
    listeners = {one["name"]: one["protocol"] for one in part(gateway, "httpListeners")}
    if "Https" not in listeners.values():
        yield f"{gateway.name} has no listener with TLS"
    for rule in part(gateway, "requestRoutingRules"):
        is_plain = listeners[last(rule["httpListener"]["id"])] == "Http"
        if is_plain and not rule.get("redirectConfiguration"):
            yield f"{rule['name']} serves plain HTTP"
    for one in part(gateway, "redirectConfigurations"):
        if one.get("redirectType") != "Permanent" or not one.get("targetListener"):
            yield f"{one['name']} redirects {one.get('redirectType')}"


def last(id_: str) -> str:
    """The last part of an id."""
    return id_.rpartition("/")[2]


def the_certificate_is_read_from_a_vault(e: Evaluated) -> list[str]:
    """By its id without a version, so that a renewed one is taken; never given as data."""
    found = []
    for gateway in e.of(GATEWAY):
        certificates = part(gateway, "sslCertificates")
        for one in certificates:
            id_ = one.get("keyVaultSecretId", "")
            if "/secrets/" not in id_ or id_.rstrip("/").count("/") != 4 or one.get("data"):
                found.append(f"{one['name']} comes from {id_!r}")
        if not certificates:
            found.append(f"{gateway.name} has no certificate")
    return found


def paths(gateway: Resource) -> list[dict[str, Any]]:
    """The path rules of all maps, each with its name, and each map's default."""
    maps = part(gateway, "urlPathMaps")
    rules = [{"name": r["name"], **r["properties"]} for m in maps for r in m.get("pathRules", [])]
    defaults = [
        {"name": m["name"], "rewriteRuleSet": m["defaultRewriteRuleSet"]}
        if "defaultRewriteRuleSet" in m
        else {"name": m["name"]}
        for m in maps
    ]
    return rules + defaults


def the_clients_address_is_passed_on(e: Evaluated) -> list[str]:
    """What a client writes into the forwarded headers itself never gets through."""
    found = []
    for gateway in e.of(GATEWAY):
        written = {
            header["headerName"].lower(): header["headerValue"]
            for rewrite in part(gateway, "rewriteRuleSets")
            for rule in rewrite["rewriteRules"]
            for header in rule["actionSet"].get("requestHeaderConfigurations", [])
        }
        if "client_ip" not in written.get("x-forwarded-for", ""):
            found.append(f"{gateway.name} passes X-Forwarded-For on as the client wrote it")
        entries = [*part(gateway, "requestRoutingRules"), *paths(gateway)]
        found += [
            f"{rule['name']} rewrites nothing"
            for rule in entries
            if not {"rewriteRuleSet", "urlPathMap", "redirectConfiguration"} & rule.keys()
        ]
    return found


def the_gateway_is_one_with_a_firewall(e: Evaluated) -> list[str]:
    """WAF_v2, with a policy, HTTP/2, and no address but the ones of its front ends."""
    found = []
    for gateway in e.of(GATEWAY):
        found += wrong(gateway, {"properties.sku.name": "WAF_v2", "properties.sku.tier": "WAF_v2"})
        if not dig(gateway.body, "properties.firewallPolicy.id"):
            found.append(f"{gateway.name} has no firewall policy")
    return found


def the_vault_lets_the_gateway_in(e: Evaluated) -> list[str]:
    """Trusted services of Azure pass the vault's firewall: the gateway is one of them."""
    path = "properties.networkAcls.bypass"
    return [
        line for one in e.of(VAULT) if e.of(GATEWAY) for line in wrong(one, {path: "AzureServices"})
    ]


RULES = (
    streams_are_not_held_back,
    silence_is_longer_than_a_heartbeat,
    the_host_name_is_kept,
    the_probe_asks_whether_the_portal_is_ready,
    the_backend_is_the_web_site,
    plain_http_is_redirected,
    the_certificate_is_read_from_a_vault,
    the_clients_address_is_passed_on,
    the_gateway_is_one_with_a_firewall,
    the_vault_lets_the_gateway_in,
)
