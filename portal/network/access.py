"""How the portal signs in at each service, as its settings say."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings

from portal import azure, databases
from portal.network.findings import Findings, Problem, Skip

# Scopes of tokens. Key Vault and registry: the audiences in Microsoft's SDKs for Python
# (azure-keyvault-secrets; azure-containerregistry, `DEFAULT_AUDIENCE`).
_SCOPES = {
    "postgres": azure.POSTGRES_SCOPE,
    "redis": azure.REDIS_SCOPE,
    "keyvault": "https://vault.azure.net/.default",
    "registry": "https://containerregistry.azure.net/.default",
}
_NOT_OF_RELEASE = "the release app has no right here, on purpose: run this as beat"


@dataclass(frozen=True)
class Access:
    """The way into one service: a scope for a token, or a fixed password or key."""

    scope: str = ""
    password: str = field(default="", repr=False)
    reason: str = ""  # why nothing would be right

    @property
    def is_needed(self) -> bool:
        """Whether the service asks who is there."""
        return bool(self.scope or self.password or self.reason)

    def secret(self, findings: Findings) -> tuple[str, str]:
        """What was got, in words, and the token. Raises Problem or Skip."""
        if self.reason:
            raise Skip(self.reason)
        if self.password:
            findings.secrets.add(self.password)
            raise Skip("a password or key of the settings, not the managed identity")
        try:
            token = azure.token(self.scope)
        except azure.NoIdentityError as error:
            raise Problem("no-identity", str(error)) from None
        except azure.TokenError as error:
            raise Problem("token-denied", str(error)) from None
        findings.secrets.add(token)
        return f"for {self.scope.removesuffix('/.default')}", token


def access_to(service: str) -> Access:
    """How the portal, with the settings of this process, gets into this service."""
    if service == "web":
        return Access()  # its health check is open
    if is_release() and service in {"openai", "redis"}:
        return Access(reason=_NOT_OF_RELEASE)
    if service == "openai":
        return Access(settings.AZURE_OPENAI_SCOPE, settings.AZURE_OPENAI_API_KEY)
    fixed = _fixed_password(service)
    return Access(_SCOPES[service], fixed)


def is_release() -> bool:
    """Whether this is the app that runs what needs the database's administrator."""
    return bool(settings.DATABASE_ADMIN_SECRET_URL)


def database() -> dict[str, Any]:
    """The database, and whom to be there: of the two, the one whose token this process gets."""
    application = databases.plain(settings.DATABASES["default"])
    if not is_release():
        return application
    administrator = databases.read_address("DATABASE_ADMIN_URL", settings.DATABASE_ADMIN_SECRET_URL)
    return {**application, "USER": administrator["USER"], "PASSWORD": administrator["PASSWORD"]}


def redis_user() -> str:
    """The user in REDIS_URL."""
    return unquote(urlsplit(settings.REDIS_URL).username or "")


def configured_host(service: str) -> tuple[str, str]:
    """The setting that names this service, and the host in it; empty where no setting does."""
    addresses: dict[str, tuple[str, Callable[[], str | None]]] = {
        "openai": (
            "AZURE_OPENAI_ENDPOINT",
            lambda: urlsplit(settings.AZURE_OPENAI_ENDPOINT).hostname,
        ),
        "postgres": ("DATABASE_URL", lambda: str(settings.DATABASES["default"]["HOST"])),
        "redis": ("REDIS_URL", lambda: urlsplit(settings.REDIS_URL).hostname),
        "keyvault": ("KEY_VAULT_URL", lambda: urlsplit(settings.KEY_VAULT_URL).hostname),
    }
    if service not in addresses:
        return "", ""
    name, read = addresses[service]
    return name, (read() or "").lower()


def _fixed_password(service: str) -> str:
    if service == "postgres" and settings.DATABASE_AUTH != "entra":
        return str(database()["PASSWORD"])
    if service == "redis" and settings.REDIS_AUTH != "entra":
        return unquote(urlsplit(settings.REDIS_URL).password or "")
    return ""
