"""Services given instead of the embedded parts: are they there, and do they let us in?

Every check raises EmbeddedError with one line that begins with the variable's name. No password is
ever part of it.
"""

import ssl
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import SplitResult, urlsplit

import psycopg
from environ import Env

from portal.embedded.errors import EmbeddedError
from portal.embedded.http_status import http_status
from portal.embedded.redis_ping import RedisError, ping

SECONDS = 5
REFUSED = frozenset({401, 403})
POSTGRES_SCHEMES = frozenset({"postgres", "postgresql", "psql", "pgsql"})


def check_outside(environ: Mapping[str, str]) -> None:
    """Check every service that the environment names."""
    if url := environ.get("DATABASE_URL"):
        check_database(url)
    if url := environ.get("REDIS_URL"):
        check_redis(url)
    if url := environ.get("OPENAI_BASE_URL"):
        key = environ.get("OPENAI_API_KEY", "")
        check_models("OPENAI_BASE_URL", url, "/models", "OPENAI_API_KEY", f"Bearer {key}")
    if url := environ.get("AZURE_OPENAI_ENDPOINT"):
        key = environ.get("AZURE_OPENAI_API_KEY", "")
        path = "/models" if url.rstrip("/").endswith("/v1") else "/openai/v1/models"
        check_models("AZURE_OPENAI_ENDPOINT", url, path, "AZURE_OPENAI_API_KEY" if key else "", key)


def check_database(url: str) -> None:
    """``DATABASE_URL``: PostgreSQL answers there and takes user and password."""
    name = "DATABASE_URL"
    _split(name, url, POSTGRES_SCHEMES, "postgres://user:password@host:5432/database")
    config = Env.db_url_config(url)
    where = f"{config['HOST']}:{config['PORT'] or 5432}"
    try:
        psycopg.connect(
            host=config["HOST"],
            port=config["PORT"] or None,
            dbname=config["NAME"] or None,
            user=config["USER"] or None,
            password=config["PASSWORD"] or None,
            connect_timeout=SECONDS,
            **config.get("OPTIONS", {}),
        ).close()
    except psycopg.Error as error:
        reason = _first_line(error).rpartition("failed: ")[2].replace("FATAL:  ", "")
        raise EmbeddedError(f"{name}: no connection to {where}: {reason}") from error


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
