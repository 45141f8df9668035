"""The admin site as a whole: who enters, what is in it, and its content policy."""

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tenants.models import Membership, Tenant, User
from tenants.services import create_member, create_tenant
from tests.admin import administrator, as_admin
from tests.client import PortalClient
from tests.conftest import PASSWORD
from tests.tenants.cast import browser_of, manager

__all__ = ["administrator", "as_admin", "manager"]  # fixtures


def test_only_our_own_models_are_registered() -> None:
    labels = {model._meta.label for model in admin.site._registry}

    assert labels == {
        "tenants.Tenant",
        "tenants.User",
        "tenants.Membership",
        "tenants.Invitation",
        "tenants.AuditEvent",
        "chat.Deployment",
        "chat.LibraryPrompt",
        "chat.Conversation",
        "chat.Generation",
        "chat.Investigation",
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
        reverse("admin:tenants_tenant_logo", args=[uuid.uuid4()]),
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


def test_whose_tenant_is_suspended_enters_no_more(owner: Membership) -> None:
    client = browser_of(owner.user)
    before = client.get("/admin/").status_code

    Tenant.objects.update(status=Tenant.Status.SUSPENDED)
    after = client.get("/admin/", follow=True).status_code

    assert (before, after) == (HTTPStatus.OK, HTTPStatus.FORBIDDEN)


def test_the_own_password_is_changed_on_the_portals_page(as_admin: Client) -> None:
    answer = as_admin.post("/admin/password_change/", {"old_password": "a guess"})

    assert answer["Location"] == reverse("account_change_password")


def test_what_unfold_would_search_in_and_cache_is_not_there(as_admin: Client) -> None:
    for query in ({"s": "ada"}, {"s": "ada", "extended": "1"}, {"s": "a", "page": "x"}):
        assert as_admin.get("/admin/search/", query).status_code == HTTPStatus.NOT_FOUND


# ── What each person finds there ───────────────────────────────────────────────────────────────
OF_MANAGERS = [
    "Overview", "Back to the chat", "Organisation", "Members", "Invitations", "Prompt library",
    "Conversations", "Generations", "Usage entries",
]  # fmt: skip
OF_ADMINISTRATORS = [
    "Overview", "Back to the chat", "Tenants", "Members", "Invitations", "Prompt library",
    "People", "Deployments", "Conversations", "Generations", "Investigations",
    "Usage entries", "Audit events",
]  # fmt: skip


def entries(page: Any) -> dict[str, str]:
    """The sidebar: names and addresses."""
    groups = page.context["sidebar_navigation"]
    return {item["title"]: item["link"] for group in groups for item in group["items"]}


def test_the_sidebar_shows_each_person_what_they_may_see(
    as_admin: Client, manager: Membership, owner: Membership
) -> None:
    of_manager = entries(browser_of(manager.user).get("/admin/"))
    of_owner = entries(browser_of(owner.user).get("/admin/"))
    of_administrator = entries(as_admin.get("/admin/"))

    assert list(of_manager) == OF_MANAGERS
    assert of_owner.keys() - of_manager.keys() == {"Investigations", "Audit events"}
    assert list(of_administrator) == OF_ADMINISTRATORS


def test_every_entry_of_the_sidebar_opens(
    as_admin: Client, manager: Membership, owner: Membership
) -> None:
    for client in (as_admin, browser_of(manager.user), browser_of(owner.user)):
        for name, address in entries(client.get("/admin/")).items():
            assert client.get(address, follow=True).status_code in {200, 403}, name
            assert address == "/" or client.get(address).status_code == HTTPStatus.OK, name


def test_who_runs_several_tenants_finds_a_list_of_them(
    owner: Membership, other_tenant: Tenant
) -> None:
    create_member(tenant=other_tenant, email="alice@example.org", role="manager")
    client = browser_of(owner.user)

    address = entries(client.get("/admin/"))["Organisations"]

    assert len(client.get(address).context["cl"].result_list) == 2


def test_the_head_names_what_the_person_looks_after(
    as_admin: Client, owner: Membership, other_tenant: Tenant
) -> None:
    hostile = "<script>alert(1)</script>"
    client = browser_of(owner.user)
    Tenant.objects.filter(pk=owner.tenant_id).update(name=hostile)

    alone = client.get("/admin/")
    create_member(tenant=other_tenant, email="alice@example.org", role="manager")
    for number in range(2):
        more = create_tenant(slug=f"more{number}", name=f"More {number}")
        create_member(tenant=more, email="alice@example.org", role="owner")

    assert alone.context["site_subheader"] == hostile
    assert hostile not in alone.content.decode()
    assert client.get("/admin/").context["site_subheader"] == f"{hostile} and 3 more"
    assert as_admin.get("/admin/").context["site_subheader"] == "Platform"


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
