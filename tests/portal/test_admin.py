"""The admin site as a whole: who enters, what is in it, and its content policy."""

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Tenant, User
from tests.admin import administrator, as_admin
from tests.client import PortalClient
from tests.conftest import PASSWORD

__all__ = ["administrator", "as_admin"]  # fixtures


def test_only_our_own_models_are_registered() -> None:
    labels = {model._meta.label for model in admin.site._registry}

    assert labels == {
        "tenants.Tenant",
        "tenants.User",
        "tenants.AuditEvent",
        "chat.Deployment",
        "chat.Conversation",
        "chat.Generation",
        "chat.UsageEntry",
    }


# ── Who enters ─────────────────────────────────────────────────────────────────────────────────
def admin_addresses() -> list[str]:
    """Every address of the admin, with ids of nothing."""
    index = reverse("admin:index")
    models = admin.site._registry
    pages = [
        reverse(f"admin:{m._meta.app_label}_{m._meta.model_name}_{page}", args=args)
        for m in models
        for page, args in [
            ("changelist", []),
            ("add", []),
            ("change", [uuid.uuid4()]),
            ("delete", [uuid.uuid4()]),
            ("history", [uuid.uuid4()]),
        ]
    ]
    return [
        index,
        *pages,
        reverse("admin:search"),
        reverse("admin:autocomplete"),
        reverse("admin:jsi18n"),
        reverse("admin:password_change"),
        reverse("admin:auth_user_password_change", args=[uuid.uuid4()]),
    ]


def test_strangers_and_members_find_no_page_of_the_admin(member: Membership) -> None:
    stranger, as_member = PortalClient(), PortalClient()
    as_member.force_login(member.user)

    for address in admin_addresses():
        sent_away = stranger.get(address, follow=True)
        assert sent_away.redirect_chain[-1][0].startswith("/accounts/login/"), address
        assert as_member.get(address, follow=True).status_code == HTTPStatus.FORBIDDEN, address


def test_staff_without_superuser_rights_find_nothing_either(nobody: User) -> None:
    User.objects.filter(pk=nobody.pk).update(is_staff=True)
    client = PortalClient()
    client.force_login(nobody)

    for address in admin_addresses():
        assert client.get(address, follow=True).status_code == HTTPStatus.FORBIDDEN, address


def test_the_admins_own_sign_in_form_is_never_used(nobody: User, administrator: User) -> None:
    User.objects.filter(pk=nobody.pk).update(is_staff=True)
    as_staff, as_stranger = PortalClient(), PortalClient()
    as_staff.force_login(nobody)
    guess = {"username": administrator.email, "password": PASSWORD}

    refused = as_staff.post("/admin/login/", guess)
    sent_away = as_stranger.post("/admin/login/", guess)

    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert sent_away["Location"].startswith("/accounts/login/")
    assert as_stranger.get("/admin/").status_code == HTTPStatus.FOUND


def test_sign_in_to_the_admin_goes_through_the_portals_own_page(administrator: User) -> None:
    client = PortalClient()

    response = client.get("/admin/tenants/tenant/", follow=True)
    data = {"login": administrator.email, "password": PASSWORD}
    entered = client.post(response.redirect_chain[-1][0], data)

    assert entered.status_code == HTTPStatus.FOUND
    assert entered["Location"] == "/admin/tenants/tenant/"
    assert client.get(entered["Location"]).status_code == HTTPStatus.OK


# ── Content policy ─────────────────────────────────────────────────────────────────────────────
def policy_of(response: Any) -> dict[str, str]:
    parts = response["Content-Security-Policy"].split("; ")
    return dict(part.partition(" ")[::2] for part in parts)


def test_admin_pages_have_a_policy_of_their_own_that_still_forbids_inline_scripts(
    as_admin: Client,
) -> None:
    policy = policy_of(as_admin.get("/admin/tenants/tenant/"))

    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == policy["form-action"] == "'self'"
    assert "trusted-types" not in policy


def test_the_admins_policy_reaches_no_other_page(as_admin: Client, tenant: Tenant) -> None:
    for address in ["/accounts/login/", "/", "/accounts/password/change/", "/admin-not/"]:
        policy = policy_of(as_admin.get(address))
        assert policy["script-src"] == policy["style-src"] == "'self'", address
        assert policy["require-trusted-types-for"] == "'script'", address
