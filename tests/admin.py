"""What tests of the admin share: an administrator, and forms sent as a browser would."""

from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tenants.models import User
from tests.client import SCOPE_STATEMENTS, PortalClient
from tests.conftest import PASSWORD

# What every page of the admin asks first: session, person, what they run; in two scopes.
ENTRANCE_STATEMENTS = 3 + 2 * SCOPE_STATEMENTS


@pytest.fixture
def administrator(db: None) -> User:
    """ada, who runs the platform."""
    return User.objects.create_superuser("ada@example.org", PASSWORD, name="Ada")


@pytest.fixture
def as_admin(administrator: User) -> Client:
    """A browser in which ada is signed in."""
    client = PortalClient()
    client.force_login(administrator)
    return client


def form_of(client: Client, address: str) -> dict[str, Any]:
    """The fields of this page's form and inlines, as a browser would send them unchanged."""
    context = client.get(address).context
    forms = [context["adminform"].form]
    for inline in context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    fields = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                fields[bound.html_name] = value
    return fields


def change(client: Client, obj: Any, **fields: Any) -> Any:
    """Save the page of this object with these fields changed; an empty one is unticked."""
    meta = obj._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk])
    data = {**form_of(client, address), **fields}
    response = client.post(address, {name: value for name, value in data.items() if value != ""})
    assert response.status_code == HTTPStatus.FOUND, response.context["errors"]
    obj.refresh_from_db()
    return obj


def act(client: Client, action: str, *rows: Any, **fields: str) -> str:
    """Do this with these rows of the list; what the next page says."""
    meta = rows[0]._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    data = {"action": action, "_selected_action": [str(row.pk) for row in rows], **fields}
    response = client.post(address, data, follow=True)
    return str(response.content.decode())
