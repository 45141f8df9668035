"""What the rules know of Azure's services, and short ways to look at evaluated resources."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.arm.evaluate import Evaluated, Resource

Json = dict[str, Any]

VNET = "Microsoft.Network/virtualNetworks"
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
ENDPOINT = "Microsoft.Network/privateEndpoints"
ZONE = "Microsoft.Network/privateDnsZones"
ZONE_LINK = "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
ZONE_GROUP = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups"
GATEWAY = "Microsoft.Network/applicationGateways"
WAF_POLICY = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies"
PUBLIC_ADDRESS = "Microsoft.Network/publicIPAddresses"
SITE = "Microsoft.Web/sites"
OPENAI = "Microsoft.CognitiveServices/accounts"
MODEL = "Microsoft.CognitiveServices/accounts/deployments"
POSTGRES = "Microsoft.DBforPostgreSQL/flexibleServers"
REDIS = "Microsoft.Cache/redisEnterprise"
REDIS_DATABASE = "Microsoft.Cache/redisEnterprise/databases"
REDIS_ACCESS = "Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments"
VAULT = "Microsoft.KeyVault/vaults"
REGISTRY = "Microsoft.ContainerRegistry/registries"
IDENTITY = "Microsoft.ManagedIdentity/userAssignedIdentities"
ROLE = "Microsoft.Authorization/roleAssignments"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"
DEPLOYMENT = "Microsoft.Resources/deployments"
# The values of the secret parameters in every scenario: a rule looks for them elsewhere.
SECRETS = {
    "djangoSecretKey": "planted-secret-key-4c1d5f6a9b",
    "emailUrl": "smtp+tls://relay:planted-mail-password-77b2@mail.contoso.com:587",
}


@dataclass(frozen=True)
class Service:
    """How a service is reached privately; `suffix` ends its public host names."""

    group_id: str
    port: int
    zones: frozenset[str]
    suffix: str


# Group ids and zones: Microsoft, "Azure Private Endpoint private DNS zone values"
# (articles/private-link/private-endpoint-dns.md); Managed Redis: articles/redis/private-link.md.
SERVICES: dict[str, Service] = {
    OPENAI: Service(
        "account",
        443,
        frozenset(
            {
                "privatelink.openai.azure.com",
                "privatelink.cognitiveservices.azure.com",
                "privatelink.services.ai.azure.com",
            }
        ),
        ".openai.azure.com",
    ),
    POSTGRES: Service(
        "postgresqlServer",
        5432,
        frozenset({"privatelink.postgres.database.azure.com"}),
        ".postgres.database.azure.com",
    ),
    REDIS: Service(
        "redisEnterprise", 10000, frozenset({"privatelink.redis.azure.net"}), ".redis.azure.net"
    ),
    VAULT: Service(
        "vault", 443, frozenset({"privatelink.vaultcore.azure.net"}), ".vault.azure.net"
    ),
    REGISTRY: Service("registry", 443, frozenset({"privatelink.azurecr.io"}), ".azurecr.io"),
    SITE: Service("sites", 443, frozenset({"privatelink.azurewebsites.net"}), ".azurewebsites.net"),
}


def services(e: Evaluated) -> list[Resource]:
    """The deployed resources that are reached over the network."""
    return e.of(*SERVICES)


def same(left: str, right: str) -> bool:
    """Ids compare without letters' case."""
    return left.lower() == right.lower()


def dig(value: Any, path: str) -> Any:
    """What is at the end of a dotted path; None where it breaks off."""
    for key in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside, with its path."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from walk(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from walk(item, f"{path}[{index}]")


def wrong(resource: Resource, wanted: dict[str, Any]) -> list[str]:
    """Complaints about properties (dotted paths in the body) that are not as wanted."""
    return [
        f"{resource.type} {resource.name}: {path} is {dig(resource.body, path)!r}, not {value!r}"
        for path, value in wanted.items()
        if dig(resource.body, path) != value
    ]


def settings_of(site: Resource) -> dict[str, str]:
    """The app settings of a site."""
    listed = dig(site.body, "properties.siteConfig.appSettings") or []
    return {entry["name"]: entry["value"] for entry in listed}


def role_of(site: Resource) -> str:
    """Which part a site is: web, worker, beat or release."""
    return str(site.name.rpartition("-")[2])


def subnets(e: Evaluated) -> dict[str, Json]:
    """The subnets that are made, by id: name and properties."""
    return {
        f"{vnet.id}/subnets/{subnet['name']}": subnet
        for vnet in e.of(VNET)
        for subnet in vnet.properties.get("subnets", [])
    }
