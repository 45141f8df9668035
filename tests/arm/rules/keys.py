"""No key, no password, no secret: identities sign in, and TLS is never older than 1.2."""

from typing import Any

from tests.arm.evaluate import Evaluated
from tests.arm.rules.facts import (
    GATEWAY,
    OPENAI,
    POSTGRES,
    REDIS,
    REDIS_DATABASE,
    REGISTRY,
    SECRETS,
    SITE,
    VAULT,
    dig,
    walk,
    wrong,
)

VAULT_SECRET = "Microsoft.KeyVault/vaults/secrets"
PUBLISHING = "Microsoft.Web/sites/basicPublishingCredentialsPolicies"
# Local sign-in is off, by type: dotted paths and what they must say.
NO_KEYS: dict[str, dict[str, Any]] = {
    OPENAI: {"properties.disableLocalAuth": True},
    POSTGRES: {
        "properties.authConfig.activeDirectoryAuth": "Enabled",
        "properties.authConfig.passwordAuth": "Disabled",
        "properties.administratorLogin": None,
        "properties.administratorLoginPassword": None,
    },
    REDIS_DATABASE: {"properties.accessKeysAuthentication": "Disabled"},
    REGISTRY: {"properties.adminUserEnabled": False, "properties.anonymousPullEnabled": False},
    VAULT: {
        "properties.enableRbacAuthorization": True,
        "properties.enablePurgeProtection": True,
        "properties.enabledForTemplateDeployment": False,
        "properties.enabledForDeployment": False,
    },
    "Microsoft.OperationalInsights/workspaces": {"properties.features.disableLocalAuth": True},
    "Microsoft.Compute/virtualMachines": {
        "properties.osProfile.linuxConfiguration.disablePasswordAuthentication": True,
        "properties.osProfile.adminPassword": None,
    },
    PUBLISHING: {"properties.allow": False},
}
TLS: dict[str, dict[str, Any]] = {
    REDIS: {"properties.minimumTlsVersion": "1.2"},
    REDIS_DATABASE: {"properties.clientProtocol": "Encrypted"},
    SITE: {"properties.httpsOnly": True},
}
MODERN = {"1.2", "1.3"}


def no_service_takes_a_key(e: Evaluated) -> list[str]:
    """Local sign-in is switched off wherever there is such a switch."""
    return [
        line
        for type_, wanted in NO_KEYS.items()
        for one in e.of(type_)
        for line in wrong(one, wanted)
    ]


def no_site_takes_a_publishing_password(e: Evaluated) -> list[str]:
    """Each site has both switches, for FTP and for its deployment site."""
    names = {one.name for one in e.of(PUBLISHING)}
    return [
        f"{site.name} has no policy {kind} that forbids publishing passwords"
        for site in e.of(SITE)
        for kind in ("ftp", "scm")
        if f"{site.name}/{kind}" not in names
    ]


def tls_is_never_older_than_1_2(e: Evaluated) -> list[str]:
    """Everything that says which TLS it takes says 1.2 or newer."""
    found = [
        line for type_, wanted in TLS.items() for one in e.of(type_) for line in wrong(one, wanted)
    ]
    for site in e.of(SITE):
        for name in ("minTlsVersion", "scmMinTlsVersion"):
            version = dig(site.body, f"properties.siteConfig.{name}")
            if version not in MODERN:
                found.append(f"{site.name}: {name} is {version}")
    for gateway in e.of(GATEWAY):
        policy = dig(gateway.body, "properties.sslPolicy") or {}
        named = policy.get("policyName", "")
        if (
            policy.get("minProtocolVersion") not in {"TLSv1_2", "TLSv1_3"}
            and named != "AppGwSslPolicy20220101S"
        ):
            found.append(f"{gateway.name}: the TLS policy is {policy}")
    return found


def secrets_are_only_in_the_vault(e: Evaluated) -> list[str]:
    """The values of secret parameters go into the vault, through deployments, and nowhere else."""
    found = [
        f"output {name} tells {secret}"
        for name, value in e.outputs.items()
        for _, text in walk(value)
        for secret in _inside(text)
    ]
    for one in e.resources:
        if one.type in {VAULT_SECRET, "Microsoft.Resources/deployments"}:
            continue
        for path, text in walk(one.body):
            found += [f"{one.name}: {path} tells {name}" for name in _inside(text)]
    return found


def _inside(text: Any) -> list[str]:
    return [name for name, value in SECRETS.items() if isinstance(text, str) and value in text]


RULES = (
    no_service_takes_a_key,
    no_site_takes_a_publishing_password,
    tls_is_never_older_than_1_2,
    secrets_are_only_in_the_vault,
)
