"""Services given instead of the embedded parts: are they there, and do they let us in?

Every check raises EmbeddedError with one line that begins with the variable's name. No password is
ever part of it.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

from portal import databases
from portal.embedded.errors import EmbeddedError
from portal.embedded.http_status import http_status
from portal.embedded.redis_ping import RedisError, ping

SECONDS = 5
REFUSED = frozenset({401, 403})


def check_outside(environ: Mapping[str, str]) -> None:
    """Check every service that the environment names."""
    if url := environ.get("DATABASE_URL"):
        check_database("DATABASE_URL", url)
    check_owner(environ)
    if url := environ.get("REDIS_URL"):
        check_redis(url)
    if url := environ.get("OPENAI_BASE_URL"):
        key = environ.get("OPENAI_API_KEY", "")
        check_models("OPENAI_BASE_URL", url, "/models", "OPENAI_API_KEY", f"Bearer {key}")
    if url := environ.get("AZURE_OPENAI_ENDPOINT"):
        key = environ.get("AZURE_OPENAI_API_KEY", "")
        path = "/models" if url.rstrip("/").endswith("/v1") else "/openai/v1/models"
        check_models("AZURE_OPENAI_ENDPOINT", url, path, "AZURE_OPENAI_API_KEY" if key else "", key)


def check_database(name: str, url: str) -> None:
    """``DATABASE_URL``, ``DATABASE_OWNER_URL``: PostgreSQL answers, and takes the password."""
    _split(name, url, databases.SCHEMES, "postgres://user:password@host:5432/database")
    try:
        databases.connect(databases.read_address(name, url)).close()
    except databases.NoConnectionError as error:
        raise EmbeddedError(f"{name}: {error}") from error


def check_owner(environ: Mapping[str, str]) -> None:
    """``DATABASE_OWNER_URL``: given exactly where ``DATABASE_URL`` is, for another role."""
    name = "DATABASE_OWNER_URL"
    database, owner = environ.get("DATABASE_URL"), environ.get(name)
    if owner and not database:
        raise EmbeddedError(f"{name} is set without DATABASE_URL; set both or neither")
    if not database:
        return
    if not owner:
        raise EmbeddedError(
            f"{name} is needed with DATABASE_URL: the address for the role that owns the tables;"
            " `manage.py create_roles` makes both roles"
        )
    check_database(name, owner)
    try:
        databases.owner_account(owner, databases.read_address("DATABASE_URL", database))
    except ImproperlyConfigured as error:
        raise EmbeddedError(str(error)) from error


def check_redis(url: str) -> None:
    """``REDIS_URL``: Redis or Valkey answers there and takes the password."""
    name = "REDIS_URL"
    address = _split(name, url, frozenset({"redis", "rediss"}), "redis://:password@host:6379/0")
    where = f"{address.hostname}:{address.port or 6379}"
    try:
        ping(url, seconds=SECONDS)
    except RedisError as error:
        raise EmbeddedError(f"{name}: {where} refuses: {_first_line(error)}") from error
    except OSError as error:
        raise EmbeddedError(f"{name}: {where} cannot be reached: {_reason(error)}") from error


def check_models(name: str, url: str, path: str, key_name: str, key: str) -> None:
    """``OPENAI_BASE_URL`` or ``AZURE_OPENAI_ENDPOINT``: a server answers and takes the key."""
    address = _split(name, url, frozenset({"http", "https"}), "https://host/v1")
    where = address.netloc.rpartition("@")[2]
    header = "api-key" if name.startswith("AZURE") else "Authorization"
    try:
        status = http_status(
            url.rstrip("/") + path, seconds=SECONDS, headers={header: key} if key_name else None
        )
    except (OSError, ValueError, HTTPException) as error:
        raise EmbeddedError(f"{name}: {where} cannot be reached: {_reason(error)}") from error
    if status in REFUSED and key_name:
        raise EmbeddedError(f"{key_name}: {where} refuses the key ({status})")


def _split(name: str, url: str, schemes: frozenset[str], example: str) -> SplitResult:
    try:
        address = urlsplit(url)
        _ = address.port
    except ValueError as error:
        raise EmbeddedError(f"{name} is no valid address; expected {example}") from error
    if address.scheme not in schemes or not address.hostname:
        raise EmbeddedError(f"{name} must look like {example}")
    return address


def _reason(error: Exception) -> str:
    """The cause in a few words."""
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({cause.verify_message})"
    if isinstance(cause, TimeoutError):
        return f"no answer within {SECONDS} seconds"
    return str(getattr(cause, "strerror", None) or cause)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip() if lines else type(error).__name__
