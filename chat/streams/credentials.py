"""Redis connections signed in with the tokens of an identity (REDIS_AUTH=entra).

Azure Managed Redis closes a connection when the token expires that it was signed in with. So each
connection signs in again, with the next token, before its first command after that one's time has
come. It does so itself, in the thread, greenlet or event loop that uses it: nothing runs beside it.
What lay idle for too long and was closed is opened anew by redis-py when it is taken from the pool.

(redis-py's StreamingCredentialProvider, with redis-entraid or without, needs a timer that signs in
connections which others use, gives up on the rest when one of them is dead, and leaves those alone
that are never given back to their pool, as Celery's.)
"""

import asyncio
import time
from typing import Any, Protocol
from urllib.parse import urlsplit

import redis
import redis.asyncio
from django.conf import settings
from django.utils.module_loading import import_string
from redis.credentials import CredentialProvider

TOKENS = "entra"  # of REDIS_AUTH


class Token(Protocol):
    """What REDIS_TOKEN_PROVIDER gives; times are seconds since 1970."""

    @property
    def value(self) -> str:
        """The password."""

    @property
    def renew_at(self) -> float:
        """When to ask for the next one, well before it expires."""


class Credentials(CredentialProvider):
    """User and token of one connection."""

    def __init__(self, user: str) -> None:
        self._user = user
        self._value = ""
        self._renew_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to sign in again."""
        return time.time() >= self._renew_at

    def get_credentials(self) -> tuple[str, str]:
        """For a connection that is being made; raises redis.AuthenticationError without a token."""
        try:
            token: Token = import_string(settings.REDIS_TOKEN_PROVIDER)()
        except OSError as error:
            raise redis.AuthenticationError(str(error)) from error
        self._value, self._renew_at = token.value, token.renew_at
        return self._user, token.value

    async def get_credentials_async(self) -> tuple[str, str]:
        """The same, without holding the event loop up."""
        return await asyncio.to_thread(self.get_credentials)

    def next_credentials(self) -> tuple[str, str] | None:
        """For a connection that is signed in; None where there is no newer token."""
        before = self._value
        after = self.get_credentials()
        return after if after[1] != before else None


def _own_credentials(options: dict[str, Any]) -> dict[str, Any]:
    """The options of a connection with credentials of its own, for the user in them."""
    user = options.pop("username", None) or ""
    return {**options, "password": None, "credential_provider": Credentials(user)}


class SignedIn(redis.Connection):
    """A blocking connection."""

    credential_provider: Credentials

    def __init__(self, **options: Any) -> None:
        super().__init__(**_own_credentials(options))  # type: ignore[no-untyped-call]  # redis-py has no types here

    def check_health(self) -> None:
        """Before each command: as redis-py's, and sign in again when it is time."""
        super().check_health()  # type: ignore[no-untyped-call]  # redis-py has no types here
        if self.credential_provider.is_due and (
            names := self.credential_provider.next_credentials()
        ):
            try:
                self.send_command("AUTH", *names, check_health=False)  # type: ignore[no-untyped-call]  # redis-py has no types here
                self.read_response()
            except redis.RedisError:
                self.disconnect()  # type: ignore[no-untyped-call]  # redis-py has no types here
                raise


class SignedInOverTls(SignedIn, redis.SSLConnection):
    """The same, encrypted."""


class AsyncSignedIn(redis.asyncio.Connection):
    """A connection for asyncio."""

    credential_provider: Credentials

    def __init__(self, **options: Any) -> None:
        super().__init__(**_own_credentials(options))

    async def check_health(self) -> None:
        """Before each command: as redis-py's, and sign in again when it is time."""
        await super().check_health()  # type: ignore[no-untyped-call]  # redis-py has no types here
        if not self.credential_provider.is_due:
            return
        names = await asyncio.to_thread(self.credential_provider.next_credentials)
        if names is None:
            return
        try:
            await self.send_command("AUTH", *names, check_health=False)
            await self.read_response()
        except redis.RedisError:
            await self.disconnect()
            raise


class AsyncSignedInOverTls(AsyncSignedIn, redis.asyncio.SSLConnection):
    """The same, encrypted."""


def blocking_options() -> dict[str, Any]:
    """What a blocking client is told about signing in, besides REDIS_URL."""
    return _options(SignedIn, SignedInOverTls)


def asyncio_options() -> dict[str, Any]:
    """What a client for asyncio is told about signing in, besides REDIS_URL."""
    return _options(AsyncSignedIn, AsyncSignedInOverTls)


def _options(plain: type[Any], encrypted: type[Any]) -> dict[str, Any]:
    if settings.REDIS_AUTH != TOKENS:
        return {}
    is_encrypted = urlsplit(settings.REDIS_URL).scheme == "rediss"
    return {"connection_class": encrypted if is_encrypted else plain}
