"""The four sites: how they run, and what their settings tell the application."""

import json
import re
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.rules.facts import GATEWAY, SITE, dig, role_of, same, settings_of, subnets, wrong
from tests.arm.rules.roles import principals

PORTAL = Path(__file__).parents[3] / "portal"
PLAN = "Microsoft.Web/serverfarms"
RUNS: dict[str, Any] = {
    "properties.publicNetworkAccess": "Disabled",
    "properties.clientAffinityEnabled": False,
    "properties.outboundVnetRouting.allTraffic": True,
    "properties.siteConfig.alwaysOn": True,
    "properties.siteConfig.ftpsState": "Disabled",
    "properties.siteConfig.acrUseManagedIdentityCreds": True,
    # Whether this instance is well, not whether PostgreSQL is: else an outage restarts them all.
    "properties.siteConfig.healthCheckPath": "/healthz",
    "properties.siteConfig.remoteDebuggingEnabled": False,
}
SUBNET = {"web": "web", "worker": "work", "beat": "work", "release": "work"}
# What App Service itself reads (Microsoft, articles/app-service/reference-app-settings.md), and
# what the image's entry script, its server and the Azure SDK read.
PLATFORM = re.compile(r"WEBSITES?_[A-Z_]+|PORT|AZURE_CLIENT_ID|SSL_CERT_FILE")
ALL = {
    "KEY_VAULT_URL",
    "DATABASE_URL",
    "DATABASE_AUTH",
    "REDIS_URL",
    "REDIS_AUTH",
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_CLIENT_ID",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "DEFAULT_FROM_EMAIL",
    "PLATFORM_NETWORKS",
    "LOG_FORMAT",
    "NETWORK_PLAN",
    "WEBSITES_PORT",
    "PORT",
    "WEBSITES_ENABLE_APP_SERVICE_STORAGE",
}
OWN = {
    "web": set[str](),
    "worker": {"PROBE_PORT"},
    "beat": {"PROBE_PORT"},
    "release": {"PROBE_PORT", "DATABASE_ADMIN_URL", "DATABASE_OWNER_URL", "BOOTSTRAP"},
}


@cache
def known_settings() -> frozenset[str]:
    """The names that portal/settings.py reads from the environment."""
    text = (PORTAL / "settings.py").read_text(encoding="utf-8")
    return frozenset(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", text))


def there_are_four_sites_from_one_image(e: Evaluated) -> list[str]:
    """Web, worker, beat and release run the same image, from our registry."""
    roles = sorted(role_of(site) for site in e.of(SITE))
    found = [] if roles == ["beat", "release", "web", "worker"] else [f"the sites are {roles}"]
    wanted = f"DOCKER|{e.outputs.get('registryLoginServer')}/{e.outputs.get('image')}"
    for site in e.of(SITE):
        found += wrong(site, {"properties.siteConfig.linuxFxVersion": wanted})
    return found


def every_site_runs_as_it_should(e: Evaluated) -> list[str]:
    """Private, stateless, always on, all traffic through the network, no FTP."""
    found = []
    for site in e.of(SITE):
        role = role_of(site)
        found += wrong(site, RUNS)
        command = dig(site.body, "properties.siteConfig.appCommandLine")
        if role not in str(command).split():
            found.append(f"{site.name} is started by {command!r}")
    return found


def every_site_pulls_with_its_own_identity(e: Evaluated) -> list[str]:
    """The registry is asked with the client id of the identity that the site runs as."""
    return [
        f"{site.name} pulls as {dig(site.body, 'properties.siteConfig.acrUserManagedIdentityID')}"
        for site in e.of(SITE)
        if dig(site.body, "properties.siteConfig.acrUserManagedIdentityID")
        != settings_of(site).get("AZURE_CLIENT_ID")
    ]


def plans_do_not_share_a_subnet(e: Evaluated) -> list[str]:
    """Web has a plan and a subnet of its own; the others share the second one."""
    pairs = {
        (
            dig(site.body, "properties.serverFarmId"),
            dig(site.body, "properties.virtualNetworkSubnetId"),
        )
        for site in e.of(SITE)
    }
    found = [] if len(pairs) == len(e.of(PLAN)) == 2 else [f"plans and subnets are {sorted(pairs)}"]
    for site in e.of(SITE):
        subnet = str(dig(site.body, "properties.virtualNetworkSubnetId"))
        if not subnet.endswith(SUBNET.get(role_of(site), "?")):
            found.append(f"{site.name} sends from {subnet}")
    return found


def app_subnets_are_delegated(e: Evaluated) -> list[str]:
    """App Service may use the subnets that its sites send from."""
    used = {str(dig(site.body, "properties.virtualNetworkSubnetId")).lower() for site in e.of(SITE)}
    return [
        f"subnet {subnet['name']} is not delegated to App Service"
        for id_, subnet in subnets(e).items()
        if id_.lower() in used
        and [dig(one, "properties.serviceName") for one in subnet["properties"]["delegations"]]
        != ["Microsoft.Web/serverFarms"]
    ]


def every_setting_is_known(e: Evaluated) -> list[str]:
    """No app setting that neither portal/settings.py nor the platform reads."""
    return [
        f"{site.name}: nobody reads {name}"
        for site in e.of(SITE)
        for name in settings_of(site)
        if name not in known_settings() and not PLATFORM.fullmatch(name)
    ]


def every_needed_setting_is_there(e: Evaluated) -> list[str]:
    """Each site has what its part needs, and the admin's address is release's alone."""
    found = []
    for site in e.of(SITE):
        role, names = role_of(site), settings_of(site).keys()
        needed = ALL | OWN.get(role, set())
        needed = needed | ({"GATEWAY_NETWORKS"} if e.of(GATEWAY) else set())
        foreign = (OWN["release"] - {"PROBE_PORT"}) & names if role != "release" else set()
        found += [f"{site.name} lacks {name}" for name in sorted(needed - names)]
        found += [f"{site.name} is told {name}" for name in sorted(foreign)]
        if not e.of(GATEWAY) and settings_of(site).get("GATEWAY_NETWORKS"):
            found.append(f"{site.name} trusts a gateway that there is not")
    return found


def settings_name_what_is_deployed(e: Evaluated) -> list[str]:
    """Addresses in the settings are those of the outputs; the users are the identities'."""
    found = []
    app = next((id_ for id_, name in principals(e).items() if name == "app"), None)
    for site in e.of(SITE):
        settings, told = settings_of(site), dict(_told(e, app))
        found += [
            f"{site.name}: {name} is {settings.get(name)!r}, not {value!r}"
            for name, value in told.items()
            if settings.get(name) != value
        ]
    return found


def _told(e: Evaluated, app: str | None) -> Iterator[tuple[str, Any]]:
    out = e.outputs
    tls = "sslmode=verify-full&sslrootcert=system"
    yield "KEY_VAULT_URL", out["keyVaultUri"]
    yield (
        "DATABASE_URL",
        f"postgres://{out['appIdentityName']}@{out['postgresHost']}:5432/{out['databaseName']}?{tls}",
    )
    yield "DATABASE_AUTH", "entra"
    yield "REDIS_URL", f"rediss://{app}@{out['redisHost']}:{out['redisPort']}/0"
    yield "REDIS_AUTH", "entra"
    yield "AZURE_OPENAI_ENDPOINT", out["openAiEndpoint"]
    yield "PUBLIC_URL", out["publicUrl"]
    yield "LOG_FORMAT", "json"
    yield "PLATFORM_NETWORKS", "169.254.0.0/16"
    yield "WEBSITES_PORT", "8000"
    yield "PORT", "8000"


def release_acts_as_the_owner(e: Evaluated) -> list[str]:
    """Release signs in as its own identity, the administrator, and names the owner's role."""
    found = []
    for site in e.of(SITE):
        if role_of(site) != "release":
            continue
        settings = settings_of(site)
        for name, user in (
            ("DATABASE_ADMIN_URL", e.outputs["releaseIdentityName"]),
            ("DATABASE_OWNER_URL", "atrium_owner"),
        ):
            url = urlsplit(settings.get(name, ""))
            modes = parse_qs(url.query).get("sslmode")
            if (url.username, url.hostname, url.password) != (
                user,
                e.outputs["postgresHost"],
                None,
            ):
                found.append(f"{name} is {settings.get(name)}")
            elif modes != ["verify-full"]:
                found.append(f"{name} does not check the server's certificate")
        found += _plan_complaints(e, settings)
    return found


def _plan_complaints(e: Evaluated, settings: dict[str, str]) -> list[str]:
    plan = json.loads(settings.get("BOOTSTRAP") or "{}")
    app = next((id_ for id_, name in principals(e).items() if name == "app"), None)
    wanted = {"application_object_id": app, "deployments": e.outputs["deployments"]}
    return [
        f"BOOTSTRAP says {name} is {plan.get(name)!r}"
        for name, value in wanted.items()
        if plan.get(name) != value
    ]


def the_network_plan_names_every_service(e: Evaluated) -> list[str]:
    """check_network is told the ranges and one name for each service."""
    found = []
    for site in e.of(SITE):
        plan = json.loads(settings_of(site).get("NETWORK_PLAN") or "{}")
        names = {"openai", "postgres", "redis", "keyvault", "registry", "web"}
        if set(plan.get("names", {})) != names or not all(plan["names"].values()):
            found.append(f"{site.name}: NETWORK_PLAN names {plan.get('names')}")
        if plan.get("ranges") != e.outputs.get("vnetAddressPrefixes"):
            found.append(f"{site.name}: NETWORK_PLAN has the ranges {plan.get('ranges')}")
    return found


def only_the_gateway_is_trusted(e: Evaluated) -> list[str]:
    """Forwarded headers are believed of the gateway's subnet, not of a larger network."""
    if not e.of(GATEWAY):
        return []
    ranges = {id_.lower(): one["properties"]["addressPrefix"] for id_, one in subnets(e).items()}
    found = []
    for gateway in e.of(GATEWAY):
        used = dig(gateway.properties["gatewayIPConfigurations"][0], "properties.subnet.id")
        for site in e.of(SITE):
            trusted = settings_of(site).get("GATEWAY_NETWORKS", "")
            if ranges and not same(trusted, ranges.get(str(used).lower(), "")):
                found.append(f"{site.name} trusts {trusted}")
            if not trusted or ip_network(trusted).prefixlen < 24:
                found.append(f"{site.name} trusts the large network {trusted!r}")
    return found


def the_host_name_is_allowed(e: Evaluated) -> list[str]:
    """Django answers to the host name that people type."""
    return [
        f"{site.name} does not answer to {e.outputs['hostName']}"
        for site in e.of(SITE)
        if e.outputs["hostName"] not in settings_of(site).get("ALLOWED_HOSTS", "").split(",")
    ]


def sites_of(e: Evaluated) -> dict[str, Resource]:
    """The sites by role."""
    return {role_of(site): site for site in e.of(SITE)}


RULES = (
    there_are_four_sites_from_one_image,
    every_site_runs_as_it_should,
    every_site_pulls_with_its_own_identity,
    plans_do_not_share_a_subnet,
    app_subnets_are_delegated,
    every_setting_is_known,
    every_needed_setting_is_there,
    settings_name_what_is_deployed,
    release_acts_as_the_owner,
    the_network_plan_names_every_service,
    only_the_gateway_is_trusted,
    the_host_name_is_allowed,
)
