"""Who belongs to a tenant, in the admin: the list, a membership, its actions, accounts."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tenants.models import AuditEvent, Invitation, Membership, Tenant, User
from tenants.services import invite
from tests.admin import act, administrator, as_admin, change, form_of
from tests.tenants.cast import (
    browser_of,
    manager,
    nothing_written,
    second_owner,
)

__all__ = ["administrator", "as_admin", "manager", "second_owner"]  # fixtures

LIST = "/admin/tenants/membership/"
INVITATIONS = "/admin/tenants/invitation/"


def page_of(membership: Membership) -> str:
    """The address of the membership's page in the admin."""
    return reverse("admin:tenants_membership_change", args=[membership.pk])


# ── The list, as each sees it ──────────────────────────────────────────────────────────────────
def test_managers_see_their_own_people_and_no_accounts(
    manager: Membership, member: Membership, outsider: Membership
) -> None:
    client = browser_of(manager.user)

    page = client.get(LIST)

    shown = {row.user.email for row in page.context["cl"].result_list}
    assert shown == {"mona@example.org", "bob@example.org"}
    assert client.get("/admin/tenants/user/").status_code == HTTPStatus.FORBIDDEN
    assert client.get(page_of(outsider)).status_code in {HTTPStatus.FOUND, HTTPStatus.FORBIDDEN}
    assert "/admin/tenants/user/" not in client.get(page_of(member)).content.decode()


def test_administrators_see_everybody(
    as_admin: Client, member: Membership, outsider: Membership
) -> None:
    page = as_admin.get(LIST, {"q": "example.org"})

    assert set(page.context["cl"].result_list) == {member, outsider}


def test_members_find_none_of_it(as_member: Client, member: Membership) -> None:
    for address in (LIST, INVITATIONS, page_of(member), f"{INVITATIONS}add/", f"{LIST}invite/"):
        assert as_member.get(address, follow=True).status_code == HTTPStatus.FORBIDDEN, address


@pytest.mark.parametrize("address", [LIST, INVITATIONS])
def test_a_list_takes_as_many_queries_for_twenty_rows_as_for_one(
    as_admin: Client,
    owner: Membership,
    address: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(20):
        invite(tenant=owner.tenant, email=f"i{number}@example.org", role="member", actor=owner.user)
        user = User.objects.create(email=f"p{number}@example.org")
        Membership.objects.create(user=user, tenant=owner.tenant)

    with django_assert_max_num_queries(17):
        as_admin.get(address)


@pytest.mark.parametrize(
    "lookup",
    ["user__password__startswith=a", "user__is_superuser=1", "token_hash__startswith=a"],
)
def test_a_list_cannot_be_filtered_to_guess_what_it_does_not_show(
    manager: Membership, lookup: str
) -> None:
    client = browser_of(manager.user)

    for address in (LIST, INVITATIONS):
        response = client.get(f"{address}?{lookup}")
        assert response.status_code in {HTTPStatus.FOUND, HTTPStatus.BAD_REQUEST}, address


# ── The page of a membership ───────────────────────────────────────────────────────────────────
def test_an_owner_changes_role_and_state_on_the_page(owner: Membership, member: Membership) -> None:
    changed = change(browser_of(owner.user), member, role="manager", is_active="")

    actions = AuditEvent.objects.order_by("sequence").values_list("action", flat=True)
    assert (changed.role, changed.is_active) == ("manager", False)
    assert list(actions)[-2:] == ["membership.role-changed", "membership.deactivated"]
    assert AuditEvent.objects.get(action="membership.deactivated").actor == owner.user


def test_a_refusal_is_an_error_of_the_form_which_keeps_what_was_chosen(
    owner: Membership, manager: Membership
) -> None:
    client = browser_of(owner.user)

    with nothing_written(Membership, AuditEvent):
        response = client.post(page_of(owner), {"role": "member", "is_active": "on"})

    assert response.status_code == HTTPStatus.OK
    assert "alice@example.org is the last owner of Acme" in response.content.decode()
    assert response.context["adminform"].form["role"].value() == "member"


def test_a_manager_sees_an_owner_and_can_change_nothing(
    owner: Membership, second_owner: Membership, manager: Membership
) -> None:
    client = browser_of(manager.user)

    with nothing_written(Membership, AuditEvent):
        shown = client.get(page_of(owner))
        changed = client.post(page_of(owner), {"role": "member"})
        removed = client.post(f"{LIST}{owner.pk}/delete/", {"post": "yes"})

    assert shown.status_code == HTTPStatus.OK
    assert {changed.status_code, removed.status_code} == {HTTPStatus.FORBIDDEN}


@pytest.mark.parametrize("whom", ["manager", "member"])
def test_a_manager_cannot_make_an_owner_by_a_crafted_form(
    request: pytest.FixtureRequest, manager: Membership, whom: str
) -> None:
    target: Membership = request.getfixturevalue(whom)
    client = browser_of(manager.user)
    fields = {"role": "owner", "is_active": "on", "is_superuser": "on", "is_staff": "on"}

    with nothing_written(Membership, AuditEvent):
        response = client.post(page_of(target), fields)

    assert response.status_code == HTTPStatus.OK  # the form again
    assert "Select a valid choice" in response.content.decode()
    assert not User.objects.filter(is_staff=True).exists()


def test_person_and_tenant_of_a_membership_stay_whatever_a_form_carries(
    owner: Membership, member: Membership, nobody: User, other_tenant: Tenant
) -> None:
    crafted = {"user": str(nobody.pk), "tenant": str(other_tenant.pk), "id": str(owner.pk)}

    changed = change(browser_of(owner.user), member, role="manager", **crafted)

    assert (changed.user, changed.tenant, changed.role) == (member.user, member.tenant, "manager")


def test_nobody_reaches_a_membership_of_another_tenant(
    owner: Membership, outsider: Membership
) -> None:
    client = browser_of(owner.user)
    fields = {"role": "member", "is_active": "on", "post": "yes"}

    with nothing_written(Membership, AuditEvent, Invitation):
        for address in (page_of(outsider), f"{LIST}{outsider.pk}/delete/"):
            response = client.post(address, fields)
            assert response.status_code in {HTTPStatus.FOUND, HTTPStatus.FORBIDDEN}, address
        for action in ("deactivate", "reactivate", "remove"):
            act(client, action, outsider, confirmed="yes", select_across="1")


def test_an_owner_of_one_tenant_is_no_owner_where_they_are_a_manager(
    owner: Membership, other_tenant: Tenant, outsider: Membership
) -> None:
    Membership.objects.create(user=owner.user, tenant=other_tenant, role="manager")
    client = browser_of(owner.user)

    with nothing_written(Membership):
        assert client.post(page_of(outsider), {"role": "member"}).status_code == 403
        assert "you cannot make somebody owner" in act(client, "deactivate", outsider)


def test_only_administrators_add_a_membership_without_asking(
    as_admin: Client, administrator: User, owner: Membership, nobody: User
) -> None:
    fields = {"user": str(nobody.pk), "tenant": str(owner.tenant_id), "role": "manager"}

    refused = browser_of(owner.user).post(f"{LIST}add/", fields)
    assert refused.status_code == HTTPStatus.FORBIDDEN
    as_admin.post(f"{LIST}add/", fields)
    again = as_admin.post(f"{LIST}add/", fields)

    assert nobody.memberships.get().role == "manager"
    assert again.status_code == HTTPStatus.OK
    event = AuditEvent.objects.get(action="membership.created", actor=administrator)
    assert event.subject == f"tenants.membership:{nobody.memberships.get().pk}"


# ── Actions of the list ────────────────────────────────────────────────────────────────────────
def test_people_are_switched_off_and_on_together_and_who_may_not_is_named(
    owner: Membership, member: Membership, colleague: Membership, manager: Membership
) -> None:
    client = browser_of(manager.user)

    off = act(client, "deactivate", member, colleague, owner)
    assert Membership.objects.filter(is_active=False).count() == 2
    on = act(client, "reactivate", member)

    assert "Switched off: bob@example.org, carol@example.org." in off
    assert "As manager of Acme you cannot make somebody owner" in off
    assert "Switched on: bob@example.org." in on
    assert Membership.objects.get(pk=owner.pk).is_active


def test_removing_asks_first(owner: Membership, member: Membership) -> None:
    client = browser_of(owner.user)

    with nothing_written(Membership):
        asked = act(client, "remove", member)
    act(client, "remove", member, confirmed="yes")

    assert "Remove these people?" in asked
    assert "bob@example.org" in asked
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_removing_on_the_page_asks_first_and_keeps_the_last_owner(
    owner: Membership, member: Membership
) -> None:
    client = browser_of(owner.user)

    asked = client.get(f"{LIST}{member.pk}/delete/")
    client.post(f"{LIST}{member.pk}/delete/", {"post": "yes"})
    refused = client.post(f"{LIST}{owner.pk}/delete/", {"post": "yes"}, follow=True)

    assert "They lose their access at once" in asked.content.decode()
    assert list(Membership.objects.all()) == [owner]
    assert "is the last owner of Acme" in refused.content.decode()
    assert AuditEvent.objects.filter(action="membership.removed").count() == 1


def test_the_list_offers_no_deleting_past_the_rules(owner: Membership, manager: Membership) -> None:
    client = browser_of(owner.user)

    with nothing_written(Membership, AuditEvent):
        act(client, "delete_selected", owner, manager, post="yes")


# ── Accounts ───────────────────────────────────────────────────────────────────────────────────
def test_the_account_of_a_tenants_last_owner_stays_open(
    as_admin: Client, owner: Membership, outsider: Membership
) -> None:
    Membership.objects.create(user=owner.user, tenant=outsider.tenant, role="owner")
    address = reverse("admin:tenants_user_change", args=[owner.user_id])
    data = form_of(as_admin, address)
    data.pop("is_active")

    with nothing_written(User):
        response = as_admin.post(address, data)

    page = response.content.decode()
    assert "alice@example.org is the last owner of Acme. Make somebody else owner" in page


def test_an_account_is_closed_when_another_owner_is_there(
    as_admin: Client, owner: Membership, second_owner: Membership
) -> None:
    sent = invite(tenant=owner.tenant, email="d@example.org", role="owner", actor=owner.user)

    change(as_admin, owner.user, is_active="")

    sent.invitation.refresh_from_db()
    assert not User.objects.get(pk=owner.user_id).is_active
    assert sent.invitation.state == "withdrawn"


@pytest.mark.parametrize("model", ["tenant", "user"])
def test_the_pages_of_tenant_and_person_only_show_memberships(
    as_admin: Client, member: Membership, model: str
) -> None:
    crafted = {
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": str(member.pk),
        "memberships-0-role": "owner",
    }

    with nothing_written(Membership):
        change(as_admin, getattr(member, model), **crafted)

    page = as_admin.get(reverse(f"admin:tenants_{model}_change", args=[getattr(member, model).pk]))
    assert page_of(member) in page.content.decode()


def test_what_somebody_typed_is_inert_in_these_pages(as_admin: Client, owner: Membership) -> None:
    evil = "<img src=x onerror=alert(1)>{{7*7}}"
    Tenant.objects.update(name=evil)
    User.objects.filter(pk=owner.user_id).update(name=evil)
    invite(tenant=owner.tenant, email="d@example.org", role="member", actor=owner.user)

    pages = [
        as_admin.get(address).content.decode()
        for address in (LIST, page_of(owner), INVITATIONS, f"{INVITATIONS}add/")
    ]
    pages += [act(as_admin, "remove", owner), act(as_admin, "deactivate", owner)]

    assert not [page for page in pages if "<img src=x" in page]
