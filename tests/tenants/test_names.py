"""Names of people and tenants: one line, without characters that steer how text is shown."""

from http import HTTPStatus

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Tenant, User
from tenants.services import create_member, create_tenant, invite
from tenants.validators import validate_name
from tests.admin import administrator, as_admin, form_of
from tests.tenants.cast import path_of

__all__ = ["administrator", "as_admin"]  # fixtures

FORGED = "Eve\nRead by: Bob"
STEERING = ["\n", "\r", "\0", "\x1b", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f"]


@pytest.mark.parametrize("letter", STEERING)
def test_a_name_with_a_character_that_steers_is_refused(letter: str) -> None:
    with pytest.raises(ValidationError, match="in one line"):
        validate_name(f"Eve{letter}Bob")


@pytest.mark.parametrize("name", ["Zoë O'Hara", "李小龍", "\u0645\u06cc\u200c\u062e", "R&D <b>"])
def test_names_of_all_writings_are_taken(name: str) -> None:
    validate_name(name)


def test_services_refuse_it(tenant: Tenant) -> None:
    with pytest.raises(ValidationError, match="in one line"):
        create_tenant(slug="forged", name=FORGED)
    with pytest.raises(ValidationError, match="in one line"):
        create_member(tenant=tenant, email="eve@example.org", role="member", name=FORGED)


def test_who_joins_with_a_new_account_cannot_take_it(owner: Membership, client: Client) -> None:
    link = path_of(invite(tenant=owner.tenant, email="eve@example.org", role="member").link)
    client.get(link)

    answer = client.post(link, {"name": FORGED, "password": "violet harbour lantern"}, follow=True)

    assert "in one line" in answer.content.decode()
    assert not User.objects.filter(email="eve@example.org").exists()


@pytest.mark.parametrize("model", ["user", "tenant"])
def test_the_admin_refuses_it(as_admin: Client, owner: Membership, model: str) -> None:
    row = owner.user if model == "user" else owner.tenant
    address = reverse(f"admin:tenants_{model}_change", args=[row.pk])

    answer = as_admin.post(address, {**form_of(as_admin, address), "name": FORGED})

    assert answer.status_code == HTTPStatus.OK
    assert "in one line" in answer.content.decode()
