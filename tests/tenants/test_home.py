"""Where people land, and how they switch between tenants."""

import re
from http import HTTPStatus

import pytest
from django.test import Client

from tenants.models import Membership, Tenant, User
from tests.admin import administrator
from tests.tenants.cast import browser_of, manager, text_of

__all__ = ["administrator", "manager"]  # fixtures


# ── Home ───────────────────────────────────────────────────────────────────────────────────────
def test_a_person_without_a_tenant_is_told_so_and_can_sign_out(nobody: User) -> None:
    client = browser_of(nobody)

    page = client.get("/")

    assert page.status_code == HTTPStatus.FORBIDDEN
    assert "You belong to no organisation yet" in text_of(page)
    assert "nora@example.org" in text_of(page)
    assert 'action="/accounts/logout/"' in text_of(page)
    assert "/admin/" not in text_of(page)


def test_an_administrator_without_a_tenant_is_shown_the_way_to_the_admin(
    administrator: User,
) -> None:
    page = browser_of(administrator).get("/")

    assert page.status_code == HTTPStatus.FORBIDDEN
    assert 'href="/admin/"' in text_of(page)


def test_with_one_tenant_it_is_straight_on(as_member: Client) -> None:
    assert as_member.get("/")["Location"] == "/acme/"


def test_with_several_there_is_a_choice(member: Membership, other_tenant: Tenant) -> None:
    Membership.objects.create(user=member.user, tenant=other_tenant)

    page = text_of(browser_of(member.user).get("/"))

    assert 'href="/acme/"' in page
    assert 'href="/globex/"' in page


@pytest.mark.parametrize("end", ["suspended", "deactivated", "removed"])
def test_who_has_lost_their_tenant_lands_on_the_page_that_says_so(
    as_member: Client, member: Membership, end: str
) -> None:
    if end == "suspended":
        Tenant.objects.update(status=Tenant.Status.SUSPENDED)
    elif end == "deactivated":
        Membership.objects.update(is_active=False)
    else:
        member.delete()

    assert as_member.get("/").status_code == HTTPStatus.FORBIDDEN
    assert as_member.get("/acme/").status_code == HTTPStatus.NOT_FOUND


# ── The switcher ───────────────────────────────────────────────────────────────────────────────
def test_the_account_menu_lists_the_tenants_of_this_person_and_no_others(
    member: Membership, other_tenant: Tenant, colleague: Membership
) -> None:
    third = Tenant.objects.create(slug="initech", name="Initech")
    Membership.objects.create(user=colleague.user, tenant=third)
    Membership.objects.create(user=member.user, tenant=other_tenant)

    for address in ("/acme/", "/globex/"):
        page = text_of(browser_of(member.user).get(address))
        assert re.search(r'<a class="menu-item" href="/acme/"', page), address
        assert re.search(r'<a class="menu-item" href="/globex/"', page), address
        assert "initech" not in page.lower()


def test_a_tenant_that_cannot_be_entered_is_not_offered(
    member: Membership, other_tenant: Tenant
) -> None:
    Membership.objects.create(user=member.user, tenant=other_tenant, is_active=False)

    assert "globex" not in text_of(browser_of(member.user).get("/acme/")).lower()


@pytest.mark.parametrize(
    ("who", "offered"), [("owner", True), ("manager", True), ("member", False)]
)
def test_who_runs_a_tenant_finds_the_administration_in_the_menu(
    request: pytest.FixtureRequest, who: str, offered: bool
) -> None:
    membership: Membership = request.getfixturevalue(who)

    page = text_of(browser_of(membership.user).get("/acme/"))

    assert ('href="/admin/"' in page) is offered
