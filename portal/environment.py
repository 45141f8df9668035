"""Reading one setting: its type, and one clear error that names it and never shows its value."""

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

# A dotted path, so that only who keeps secrets in a vault loads what asks one.
VAULT_READER = "portal.azure.read_secret"


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
