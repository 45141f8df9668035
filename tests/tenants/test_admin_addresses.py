"""The admin of any row: where its history is, and addresses that make no sense."""

from http import HTTPStatus

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from tenants.admin.history import AuditHistory
from tenants.models import AuditEvent, Membership, Tenant
from tests.admin import administrator, as_admin, change
from tests.tenants.auditing import signed_in

__all__ = ["administrator", "as_admin"]  # fixtures


# ── Addresses that make no sense ───────────────────────────────────────────────────────────────
YEARS = ["0", "10000", "99999", "9" * 30]


@pytest.mark.parametrize(
    ("model", "field"),
    [("tenants_tenant", "status"), ("tenants_membership", "role"), ("chat_generation", "status"),
     ("tenants_auditevent", "q")],
)  # fmt: skip
def test_no_list_is_asked_for_what_no_text_can_have(
    as_admin: Client, tenant: Tenant, model: str, field: str
) -> None:
    address = reverse(f"admin:{model}_changelist")

    for name in (field, f"{field}__exact", f"{field}\0"):
        response = as_admin.get(address, {name: "\0"})
        assert response.status_code == HTTPStatus.BAD_REQUEST, name


def test_neither_are_forms_and_choices(as_admin: Client, member: Membership) -> None:
    choices = {"app_label": "chat", "model_name": "deploymentgrant", "field_name": "deployment"}

    for address, query in (
        (reverse("admin:tenants_membership_add"), {"user": "\0"}),
        (reverse("admin:autocomplete"), {**choices, "term": "\0"}),
    ):
        assert as_admin.get(address, query).status_code == HTTPStatus.BAD_REQUEST, address


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize(
    ("model", "field"),
    [("chat_generation", "queued_at"), ("chat_generation", "ended_at"),
     ("chat_usageentry", "created_at"), ("tenants_auditevent", "created_at")],
)  # fmt: skip
def test_a_year_that_does_not_exist_leads_back_to_the_list(
    as_admin: Client, tenant: Tenant, model: str, field: str, year: str
) -> None:
    address = reverse(f"admin:{model}_changelist")

    response = as_admin.get(address, {f"{field}__year": year}, follow=True)

    assert response.redirect_chain[0][0].endswith("?e=1")
    assert response.status_code == HTTPStatus.OK


# ── History ────────────────────────────────────────────────────────────────────────────────────
def test_the_history_of_a_row_is_its_part_of_the_audit_log(
    as_admin: Client, owner: Membership, outsider: Membership
) -> None:
    change(as_admin, owner.tenant, status="suspended")
    change(as_admin, outsider.tenant, status="suspended")

    page = as_admin.get(
        reverse("admin:tenants_tenant_history", args=[owner.tenant_id]), follow=True
    )

    events = page.context["cl"].result_list
    assert {event.subject for event in events} == {f"tenants.tenant:{owner.tenant_id}"}
    assert {event.action for event in events} >= {"tenant.changed"}


@pytest.mark.parametrize(("role", "may"), [("owner", True), ("manager", False)])
def test_history_is_for_those_who_may_read_the_audit_log(
    member: Membership, other_tenant: Tenant, role: str, may: bool
) -> None:
    Membership.objects.filter(pk=member.pk).update(role=role)
    Membership.objects.create(user=member.user, tenant=other_tenant, role="manager")
    client = signed_in(member)

    for tenant, opens in ((member.tenant, may), (other_tenant, False)):
        address = reverse("admin:tenants_tenant_history", args=[tenant.pk])
        page = client.get(reverse("admin:tenants_tenant_change", args=[tenant.pk]))
        expected = HTTPStatus.FOUND if opens else HTTPStatus.FORBIDDEN
        assert client.get(address).status_code == expected
        assert (address in page.content.decode()) == opens


def test_an_event_of_the_audit_log_has_no_history(as_admin: Client, owner: Membership) -> None:
    event = AuditEvent.objects.latest("created_at")
    address = reverse("admin:tenants_auditevent_history", args=[event.pk])

    page = as_admin.get(reverse("admin:tenants_auditevent_change", args=[event.pk]))

    assert as_admin.get(address).status_code == HTTPStatus.FORBIDDEN
    assert address not in page.content.decode()


def test_every_page_builds_on_what_writes_to_the_audit_log_alone() -> None:
    for options in admin.site._registry.values():
        for name in ("log_addition", "log_change", "log_deletions", "history_view"):
            assert getattr(type(options), name) == getattr(AuditHistory, name), options
