"""Reading one setting: its type, and one clear error that names it and never shows its value."""

from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured


class Env(environ.Env):  # type: ignore[misc]  # the package ships no types
    """django-environ, whose every error is ImproperlyConfigured with the setting's name."""

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
