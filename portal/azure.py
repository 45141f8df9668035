"""The one door to Azure's identities and to Key Vault: tokens, so that no setting holds a secret.

Loaded only where a setting asks for it: the settings name its functions by their dotted paths.
The vault is read while the settings are made, so what that needs reads none of them.
"""

import logging
import os
import threading
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
)
from azure.identity import (
    CredentialUnavailableError,
    DefaultAzureCredential,
    ManagedIdentityCredential,
)
from azure.keyvault.secrets import SecretClient, SecretProperties
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

logger = logging.getLogger(__name__)

Credential = DefaultAzureCredential | ManagedIdentityCredential

# Learn, "Use Microsoft Entra ID for authentication with Azure Database for PostgreSQL".
POSTGRES_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
# Learn, "Use Microsoft Entra for cache authentication with Azure Managed Redis", which also wants
# connections to sign in again three minutes before the token expires.
REDIS_SCOPE = "https://redis.azure.com/.default"
RENEW_SECONDS = 300.0
RETRY_SECONDS = 30.0
FAILED_SECONDS = 2.0  # so long a refusal stands for whoever asks next
MOST_VERSIONS = 3
_LONGEST_CAUSE = 300
# What the SDK lets through where an answer is no JSON, or another than the protocol's.
_ODD = (ValueError, AttributeError, TypeError, KeyError)
# The SDK's own limits are minutes; a request and a start wait for this. What answers is asked again
# more often than what does not, which costs a limit each time.
_PATIENCE: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 5,
    "retry_total": 3,
    "retry_connect": 1,
    "retry_read": 1,
    "retry_backoff_factor": 0.3,
    "retry_backoff_max": 5,
}


class TokenError(OSError):
    """There is no token. The text is one line, safe to show; who asked may try again later."""


class NoIdentityError(TokenError):
    """No identity gives a token: none is assigned, or nobody is signed in."""


class Token(NamedTuple):
    """An access token, when it expires, and when to ask for the next one (seconds since 1970)."""

    value: str
    expires_at: float
    renew_at: float


@cache
def credential() -> Credential:
    """Who we are: App Service's managed identity (AZURE_CLIENT_ID), else whoever is signed in.

    Outside App Service no managed identity is looked for, which takes seconds where there is none;
    AZURE_TOKEN_CREDENTIALS, azure-identity's own variable, asks for one.
    """
    if os.environ.get("IDENTITY_ENDPOINT"):
        return ManagedIdentityCredential(
            client_id=os.environ.get("AZURE_CLIENT_ID") or None, **_PATIENCE
        )
    if os.environ.get("AZURE_TOKEN_CREDENTIALS"):
        return DefaultAzureCredential(**_PATIENCE)
    return DefaultAzureCredential(exclude_managed_identity_credential=True, **_PATIENCE)


class _Keeper:
    """The token of one scope: asked for once, by one thread, and renewed before it expires."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self._lock = threading.Lock()
        self._token = Token("", 0.0, 0.0)
        self._try_at = 0.0
        self._failure: TokenError | None = None
        self._failed_at = 0.0

    def get(self) -> Token:
        """A token that has not expired; raises TokenError."""
        token, now = self._token, time.time()
        if now < token.renew_at:
            return token
        # Who finds another one renewing goes on with what there is.
        if self._lock.acquire(blocking=now >= token.expires_at):
            try:
                return self._renew(now)
            finally:
                self._lock.release()
        return token

    def _renew(self, asked_at: float) -> Token:
        now = time.time()
        is_alive = now < self._token.expires_at
        if now < self._token.renew_at or (is_alive and now < self._try_at):
            return self._token
        # Who waited for one that failed does not wait once more.
        if self._failure and asked_at < self._failed_at + FAILED_SECONDS and not is_alive:
            raise type(self._failure)(*self._failure.args)
        try:
            self._take(_request(self._scope))
        except TokenError as error:
            self._fail(error)
        return self._token

    def _take(self, token: Token) -> None:
        self._token, self._failure = token, None
        # Past half of a token's life the SDK keeps its failures to itself: it hands out the old
        # token again (GetTokenMixin, and msal, of azure-identity 1.27).
        if token.renew_at <= (now := time.time()):
            self._try_at = now + RETRY_SECONDS
            logger.warning("the token in hand is used on: there is no newer one")

    def _fail(self, error: TokenError) -> None:
        now = time.time()
        if now >= self._token.expires_at:
            self._failure, self._failed_at = error, now
            raise error
        self._try_at = now + RETRY_SECONDS
        logger.warning("the token in hand is used on: %s", error)


@cache
def _keeper(scope: str) -> _Keeper:
    return _Keeper(scope)


def _request(scope: str) -> Token:
    _hush()
    asked_at = time.time()
    try:
        token = _dated(credential().get_token_info(scope), asked_at)
    except ClientAuthenticationError as error:
        raise _refusal(scope, error) from None
    except AzureError as error:
        raise TokenError(f"no token for {scope}: {_why(error)}") from None
    except _ODD as error:
        why = f"an answer that cannot be read ({type(error).__name__})"
        raise TokenError(f"no token for {scope}: {why}") from None
    if token.expires_at <= time.time():
        raise TokenError(f"no token for {scope}: the one in the answer has expired")
    return token


def _hush() -> None:
    """No answer of an identity in a log: the SDK's warnings repeat ours, and show what was said.

    (Each time: a logging configuration resets the loggers below those that it names.)
    """
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    logging.getLogger("msal").setLevel(logging.INFO)


def _refusal(scope: str, error: ClientAuthenticationError) -> TokenError:
    if isinstance(credential(), DefaultAzureCredential):
        why = "there is no managed identity here, and nobody is signed in (try `az login`)"
        return NoIdentityError(f"no identity gives a token for {scope}: {why}")
    if isinstance(error, CredentialUnavailableError):
        return NoIdentityError(f"no identity gives a token for {scope}: {_why(error)}")
    return TokenError(f"no token for {scope}: {_why(error)}")


def _dated(info: AccessTokenInfo, asked_at: float) -> Token:
    renew_at = info.expires_on - min(RENEW_SECONDS, (info.expires_on - asked_at) / 2)
    return Token(info.token, info.expires_on, min(renew_at, info.refresh_on or renew_at))


def token(scope: str) -> str:
    """A bearer token for this scope, renewed before it expires; raises TokenError."""
    return _keeper(scope).get().value


def openai_token() -> str:
    """A bearer token for Azure OpenAI, fresh at each call; raises TokenError."""
    return token(settings.AZURE_OPENAI_SCOPE)


def database_token() -> str:
    """The password of a new connection to PostgreSQL; raises TokenError.

    It is checked when the connection is made, and never again.
    """
    return token(POSTGRES_SCOPE)


def redis_token() -> Token:
    """The password of a connection to Redis, and until when it lets it work; raises TokenError."""
    return _keeper(REDIS_SCOPE).get()


def read_secret(vault_url: str, name: str) -> list[str]:
    """The values of a secret of this vault that are in force, newest first, at most three.

    In force are enabled versions whose time has begun and is not over; [] without any.

    Raises ImproperlyConfigured, in one line without any value, where the vault does not answer.
    """
    if not vault_url.startswith("https://"):
        raise ImproperlyConfigured("KEY_VAULT_URL must be an https address")
    try:
        return _read(_vault(vault_url), name)
    except ResourceNotFoundError:
        return []
    except (AzureError, *_ODD) as error:
        raise ImproperlyConfigured(
            f"KEY_VAULT_URL: the secret {name} cannot be read: {_why(error)}"
        ) from None


def _read(vault: SecretClient, name: str) -> list[str]:
    versions = [v for v in vault.list_properties_of_secret_versions(name) if _is_usable(v)]
    versions.sort(key=lambda v: v.created_on or datetime.min.replace(tzinfo=UTC), reverse=True)
    values = [vault.get_secret(name, v.version).value for v in versions[:MOST_VERSIONS]]
    return [value for value in values if value]


@cache
def _vault(vault_url: str) -> SecretClient:
    _hush()
    return SecretClient(vault_url, credential(), **_PATIENCE)


def _is_usable(version: SecretProperties) -> bool:
    begins, ends, now = version.not_before, version.expires_on, datetime.now(UTC)
    has_begun = begins is None or begins <= now
    return bool(version.enabled) and has_begun and (ends is None or now < ends)


def _why(error: Exception) -> str:
    """The cause in one line, without the answer itself: a token may be in it."""
    status = error.status_code if isinstance(error, HttpResponseError) else None
    # (azure-identity begins with words that mislead where App Service's endpoint has refused.)
    said = str(error).rpartition("Token request error: ")[2].partition("Content:")[0]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return ((f"{status} " if status else "") + " ".join(lines[:2] or [type(error).__name__]))[
        :_LONGEST_CAUSE
    ]
