"""Reading one setting: its type, and one clear error that names it and never shows its value."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

# A dotted path, so that only who keeps secrets in a vault loads what asks one.
VAULT_READER = "portal.azure.read_secret"

_NOT_IN_REDIS_QUERY = frozenset({"username", "password", "host", "port", "path", "ssl_*"})


class Env(environ.Env):  # type: ignore[misc]  # the package ships no types
    """django-environ, whose every error is ImproperlyConfigured with the setting's name."""

    vault_url = ""

    def get_value(self, var: str, *args: Any, **kwargs: Any) -> Any:
        """As environ.Env does."""
        try:
            return super().get_value(var, *args, **kwargs)
        except ValueError:
            raise ImproperlyConfigured(f"{var} has a value of the wrong type") from None

    def choice(self, name: str, choices: set[str], *, default: str) -> str:
        """One of these texts."""
        value: str = self.str(name, default=default)
        if value not in choices:
            listed = f": {', '.join(sorted(choices))}" if len(choices) < 10 else ""
            raise ImproperlyConfigured(f"{name} is none of the known values{listed}")
        return value

    def positive(self, name: str, *, default: float) -> float:
        """A number above 0."""
        value: float = self.float(name, default=default)
        if not value > 0:
            raise ImproperlyConfigured(f"{name} must be more than 0")
        return value

    def count(self, name: str, *, default: int) -> int:
        """A whole number, at least 1."""
        value: int = self.int(name, default=default)
        if value < 1:
            raise ImproperlyConfigured(f"{name} must be at least 1")
        return value

    def networks(self, name: str) -> list[IPv4Network | IPv6Network]:
        """Networks in CIDR notation, separated by commas; none where it is not set."""
        try:
            return [ip_network(text.strip()) for text in self.list(name, default=[])]
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must be networks like 10.0.0.0/24, separated by commas"
            ) from None

    def secrets(self, name: str) -> list[str]:
        """A secret and what it was before, newest first; never empty.

        Of the environment it is one; of the vault (secret `secret-key` for SECRET_KEY) its enabled
        versions. Raises ImproperlyConfigured where neither has it.
        """
        values = self._secrets(name)
        if not values:
            where = ", here or in the vault of KEY_VAULT_URL" if self.vault_url else ""
            raise ImproperlyConfigured(f"{name} must be set and not be empty{where}")
        return values

    def secret(self, name: str, *, default: str) -> str:
        """The newest value of a secret, from where `secrets` looks for it."""
        return next(iter(self._secrets(name)), default)

    def _secrets(self, name: str) -> list[str]:
        value: str = self.str(name, default="")
        if value or not self.vault_url:
            return [value] if value else []
        read: Callable[[str, str], list[str]] = import_string(VAULT_READER)
        return read(self.vault_url, name.lower().replace("_", "-"))


def split_address(name: str, address: str) -> SplitResult:
    """The parts of the address in this setting, whose port may still be none."""
    try:
        parts = urlsplit(address)
    except ValueError:
        raise invalid_address(name) from None
    # A / or # in a password ends the host early: what follows would be taken for something else.
    if parts.fragment or (parts.netloc and "@" in parts.path):
        raise invalid_address(name)
    return parts


def invalid_address(name: str) -> ImproperlyConfigured:
    """The one line about an address that cannot be read."""
    return ImproperlyConfigured(
        f"{name} is no valid address: a port is a number, and / @ : ? # % [ ] in a user or"
        " password are written as %2F %40 %3A %3F %23 %25 %5B %5D"
    )


def refuse_in_query(name: str, parts: SplitResult, refused: frozenset[str]) -> None:
    """Raises ImproperlyConfigured where the query has one of these names; `ssl_*` is a prefix."""
    for key in {key.lower() for key in parse_qs(parts.query, keep_blank_values=True)}:
        for one in refused:
            if key == one or (one.endswith("*") and key.startswith(one[:-1])):
                raise ImproperlyConfigured(f"{name} must hold no {one} in its query")


def redis_address(name: str, address: str) -> SplitResult:
    """The parts of a redis:// or rediss:// address."""
    parts = split_address(name, address)
    if parts.scheme not in {"redis", "rediss"}:
        raise ImproperlyConfigured(f"{name} must be a redis:// or rediss:// address")
    _check_port(name, parts)
    if not parts.hostname:
        raise ImproperlyConfigured(f"{name} must name a host")
    if not (parts.path.strip("/") or "0").isdecimal():
        raise invalid_address(name)
    # Certificates are checked, always: see CELERY_BROKER_USE_SSL.
    refuse_in_query(name, parts, _NOT_IN_REDIS_QUERY)
    return parts


def mail_settings(name: str, address: str) -> dict[str, Any]:
    """Django's settings of mail, from an address like smtp+tls://user:password@host:587."""
    parts = split_address(name, address)
    _check_port(name, parts)
    wrong = ImproperlyConfigured(f"{name} must look like smtp+tls://user:password@host:587")
    if parts.scheme.startswith("smtp") and not parts.hostname:
        raise wrong
    try:
        return dict(Env.email_url_config(address))
    except (ImproperlyConfigured, KeyError, ValueError):
        raise wrong from None


def _check_port(name: str, parts: SplitResult) -> None:
    try:
        is_valid = parts.port != 0
    except ValueError:
        is_valid = False
    if not is_valid:
        raise invalid_address(name)
