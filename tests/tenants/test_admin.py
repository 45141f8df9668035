"""The admin of people and tenants: what it writes down, and what it refuses."""

from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tenants.models import AuditEvent, Membership, Tenant, User
from tests.admin import ENTRANCE_STATEMENTS, administrator, as_admin, change, form_of
from tests.conftest import PASSWORD

__all__ = ["administrator", "as_admin"]  # fixtures


# ── Every page ─────────────────────────────────────────────────────────────────────────────────
def test_every_page_of_people_and_tenants_opens(
    as_admin: Client, owner: Membership, administrator: User
) -> None:
    event = AuditEvent.objects.first()
    assert event
    addresses = [
        reverse("admin:index"),
        *(reverse(f"admin:tenants_{m}_changelist") for m in ("tenant", "user", "auditevent")),
        *(reverse(f"admin:tenants_{m}_add") for m in ("tenant", "user")),
        reverse("admin:tenants_tenant_change", args=[owner.tenant_id]),
        reverse("admin:tenants_user_change", args=[owner.user_id]),
        reverse("admin:auth_user_password_change", args=[owner.user_id]),
        reverse("admin:tenants_auditevent_change", args=[event.pk]),
    ]

    for address in addresses:
        assert as_admin.get(address).status_code == HTTPStatus.OK, address


@pytest.mark.parametrize("model", ["tenant", "user", "auditevent"])
def test_a_list_takes_as_many_queries_for_twenty_rows_as_for_one(
    as_admin: Client,
    tenant: Tenant,
    administrator: User,
    model: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(20):
        user = User.objects.create(email=f"p{number}@example.org")
        other = Tenant.objects.create(slug=f"t{number}", name=f"Tenant {number}")
        Membership.objects.create(user=user, tenant=other)
        AuditEvent.objects.create(action="thing.done", actor=user, tenant=other)

    # rows, choices of filters, and the dates of the log
    with django_assert_max_num_queries(ENTRANCE_STATEMENTS + 4):
        as_admin.get(reverse(f"admin:tenants_{model}_changelist"))


def test_a_tenants_page_takes_as_many_queries_for_twenty_members_as_for_one(
    as_admin: Client, tenant: Tenant, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(20):
        user = User.objects.create(email=f"p{number}@example.org")
        Membership.objects.create(user=user, tenant=tenant)

    with django_assert_max_num_queries(ENTRANCE_STATEMENTS + 31):
        as_admin.get(reverse("admin:tenants_tenant_change", args=[tenant.pk]))


@pytest.mark.parametrize("term", ["ALICE@example", "Alice", "id"])
def test_people_are_found_by_name_by_address_and_by_id(
    as_admin: Client, owner: Membership, colleague: Membership, term: str
) -> None:
    query = str(owner.user_id) if term == "id" else term

    page = as_admin.get(reverse("admin:tenants_user_changelist"), {"q": query})

    assert [user.email for user in page.context["cl"].result_list] == ["alice@example.org"]


# ── Tenants ────────────────────────────────────────────────────────────────────────────────────
def test_suspending_a_tenant_is_written_down_with_who_did_it(
    as_admin: Client, administrator: User, owner: Membership
) -> None:
    tenant = change(as_admin, owner.tenant, status="suspended")

    event = AuditEvent.objects.get(action="tenant.changed")
    assert tenant.status == "suspended"
    assert (event.actor, event.tenant) == (administrator, tenant)
    assert event.subject == f"tenants.tenant:{tenant.pk}"
    assert event.detail == {"changes": {"status": ["active", "suspended"]}}
    assert event.request_id


def test_a_page_saved_without_a_change_writes_nothing_down(
    as_admin: Client, member: Membership
) -> None:
    before = AuditEvent.objects.count()

    change(as_admin, member.tenant)

    assert AuditEvent.objects.count() == before


def test_a_tenant_is_added_and_its_slug_stays(as_admin: Client, administrator: User) -> None:
    address = reverse("admin:tenants_tenant_add")
    data = {**form_of(as_admin, address), "slug": "initech", "name": "Initech"}

    as_admin.post(address, data)
    tenant = change(as_admin, Tenant.objects.get(), slug="other", name="Initech Ltd")

    assert (tenant.slug, tenant.name) == ("initech", "Initech Ltd")
    assert AuditEvent.objects.get(action="tenant.created").actor == administrator


@pytest.mark.parametrize("model", ["tenant", "user"])
def test_nothing_is_deleted_and_the_page_says_what_to_do_instead(
    as_admin: Client, member: Membership, model: str
) -> None:
    obj = getattr(member, model)
    address = reverse(f"admin:tenants_{model}_delete", args=[obj.pk])

    response = as_admin.post(address, {"post": "yes"}, follow=True)

    assert type(obj).objects.filter(pk=obj.pk).exists()
    assert "never deleted here" in response.content.decode()


@pytest.mark.parametrize("model", ["tenant", "user", "auditevent"])
def test_no_list_offers_to_delete(as_admin: Client, member: Membership, model: str) -> None:
    address = reverse(f"admin:tenants_{model}_changelist")
    rows = {"action": "delete_selected", "_selected_action": [str(member.tenant_id)]}

    page = as_admin.get(address)
    as_admin.post(address, rows)

    assert "delete_selected" not in page.content.decode()
    assert Tenant.objects.exists()


# ── People ─────────────────────────────────────────────────────────────────────────────────────
def test_a_new_account_signs_in_and_is_no_administrator(
    as_admin: Client, administrator: User
) -> None:
    data = {
        "email": "Dora@Example.org",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
        "is_staff": "on",
        "is_superuser": "on",
    }
    address = reverse("admin:tenants_user_add")

    as_admin.post(address, {**form_of(as_admin, address), **data})

    user = User.objects.get(email="dora@example.org")
    assert user.check_password(PASSWORD)
    assert user.password.startswith("argon2")
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert AuditEvent.objects.get(action="user.created").actor == administrator


def test_rights_that_are_smuggled_into_the_form_change_nothing(
    as_admin: Client, member: Membership
) -> None:
    user = change(as_admin, member.user, is_staff="on", is_superuser="on", name="Robert")

    assert (user.name, user.is_staff, user.is_superuser) == ("Robert", False, False)


def test_deactivation_ends_the_persons_session_at_once(
    as_admin: Client, as_member: Client, member: Membership
) -> None:
    change(as_admin, member.user, is_active="")

    assert as_member.get("/acme/").status_code == HTTPStatus.FOUND
    event = AuditEvent.objects.get(action="user.changed")
    assert event.detail == {"changes": {"is_active": ["True", "False"]}}


def test_administrators_cannot_lock_themselves_out(as_admin: Client, administrator: User) -> None:
    change(as_admin, administrator, is_active="")

    assert User.objects.get(pk=administrator.pk).is_active


def test_a_password_set_by_an_administrator_works_and_is_written_down(
    as_admin: Client, as_member: Client, member: Membership
) -> None:
    new = "lantern under violet water"
    address = reverse("admin:auth_user_password_change", args=[member.user_id])

    as_admin.post(
        address,
        {"usable_password": "true", "password1": new, "password2": new, "set-password": "1"},
    )

    member.user.refresh_from_db()
    assert member.user.check_password(new)
    assert as_member.get("/acme/").status_code == HTTPStatus.FOUND
    assert AuditEvent.objects.get(action="user.password-changed").detail == {}


def test_a_refused_password_is_not_written_down(as_admin: Client, member: Membership) -> None:
    address = reverse("admin:auth_user_password_change", args=[member.user_id])

    as_admin.post(address, {"usable_password": "true", "password1": "short", "password2": "short"})

    assert not AuditEvent.objects.filter(action="user.password-changed").exists()


def test_after_a_new_address_the_old_one_signs_nobody_in(
    as_admin: Client, member: Membership, client: Client
) -> None:
    assert client.login(email="bob@example.org", password=PASSWORD)
    client.post("/accounts/login/", {"login": "bob@example.org", "password": PASSWORD})

    change(as_admin, member.user, email="Robert@Example.org")

    assert client.login(email="robert@example.org", password=PASSWORD)
    assert not client.login(email="bob@example.org", password=PASSWORD)


# ── Audit log ──────────────────────────────────────────────────────────────────────────────────
def test_an_audit_event_can_only_be_looked_at(as_admin: Client, tenant: Tenant) -> None:
    event = AuditEvent.objects.get()
    change_address = reverse("admin:tenants_auditevent_change", args=[event.pk])
    delete_address = reverse("admin:tenants_auditevent_delete", args=[event.pk])

    assert as_admin.get(change_address).status_code == HTTPStatus.OK
    for address in (change_address, delete_address, reverse("admin:tenants_auditevent_add")):
        response = as_admin.post(address, {"action": "forged", "post": "yes"})
        assert response.status_code == HTTPStatus.FORBIDDEN, address
    assert AuditEvent.objects.get().action == "tenant.created"


def test_what_a_tenant_typed_is_inert(as_admin: Client, owner: Membership) -> None:
    evil = "<img src=x onerror=alert(1)>{{7*7}}"
    Tenant.objects.update(name=evil)
    User.objects.filter(pk=owner.user_id).update(name=evil)

    for address in (
        reverse("admin:tenants_tenant_changelist"),
        reverse("admin:tenants_tenant_change", args=[owner.tenant_id]),
        reverse("admin:tenants_user_changelist"),
        reverse("admin:tenants_user_change", args=[owner.user_id]),
        reverse("admin:tenants_auditevent_changelist"),
    ):
        page = as_admin.get(address).content.decode()
        assert "<img src=x" not in page, address
