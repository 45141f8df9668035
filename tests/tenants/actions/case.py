"""Who tries what on whose things."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Tenant, User
from tests.admin import form_of
from tests.portal.two_tenants import Rows, World


class Forms:
    """The fields of the admin's forms as an administrator gets them: all that there are."""

    def __init__(self, administrator: Client) -> None:
        self._administrator = administrator
        self._known: dict[str, dict[str, Any]] = {}

    def of(self, path: str) -> dict[str, Any]:
        """The form of this page, unchanged."""
        if path not in self._known:
            self._known[path] = form_of(self._administrator, path)
        return self._known[path]


@dataclass(frozen=True)
class Case:
    """Somebody, and what they try it on: Acme, its owner's things, and carol, who is a member."""

    user: User
    browser: Client
    forms: Forms
    world: World
    carol: Membership

    @property
    def rows(self) -> Rows:
        """Acme's rows, of its owner."""
        return self.world.acme

    @property
    def tenant(self) -> Tenant:
        """Acme."""
        tenant: Tenant = self.world.acme[Tenant]
        return tenant

    def sees(self, path: str) -> bool:
        """Whether the page opens."""
        return self.browser.get(path).status_code == HTTPStatus.OK

    def saves(self, path: str, **fields: object) -> None:
        """Post the page's whole form with these changes."""
        self.browser.post(path, {**self.forms.of(path), **fields})

    def without(self, path: str, name: str) -> None:
        """The same with this box unticked."""
        form = self.forms.of(path)
        self.browser.post(path, {key: value for key, value in form.items() if key != name})

    def chat(self, name: str, **ids: object) -> str:
        """An address of Acme's."""
        return reverse(f"chat:{name}", kwargs={"tenant": self.tenant.slug, **ids})


Attempt = Callable[[Case], bool]
ACTIONS: dict[str, Attempt] = {}


def action(name: str) -> Callable[[Attempt], Attempt]:
    """Try the action of this name with the function."""

    def add(attempt: Attempt) -> Attempt:
        assert name not in ACTIONS
        ACTIONS[name] = attempt
        return attempt

    return add


def now(obj: Any) -> Any:
    """The row as it is in the database."""
    return type(obj)._default_manager.get(pk=obj.pk)


def is_gone(obj: Model) -> bool:
    """Whether the database has it no longer."""
    return not type(obj)._default_manager.filter(pk=obj.pk).exists()
