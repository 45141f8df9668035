"""The audit log in the admin: who reads it, and how it is filtered."""

from datetime import timedelta
from http import HTTPStatus

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tenants.admin.audit_filters import GROUPS
from tenants.models import AuditEvent, Membership, Tenant
from tenants.services import record
from tests.admin import administrator, as_admin
from tests.tenants.auditing import LIST, as_owner, events, signed_in

__all__ = ["administrator", "as_admin", "as_owner", "events"]  # fixtures


def shown(client: Client, **filters: str) -> list[str]:
    """The actions that the list shows with these filters."""
    page = client.get(LIST, filters)
    assert page.status_code == HTTPStatus.OK, page["Location"]
    return [event.action for event in page.context["cl"].result_list]


# ── The list ───────────────────────────────────────────────────────────────────────────────────
def test_an_owner_sees_their_tenants_log_alone(
    as_owner: Client, owner: Membership, outsider: Membership
) -> None:
    record("thing.done", subject=owner, tenant=owner.tenant)
    record("other.done", subject=outsider, tenant=outsider.tenant)
    record("platform.done")

    seen = shown(as_owner)

    assert "thing.done" in seen
    assert not {"other.done", "platform.done"} & set(seen)


@pytest.mark.parametrize("role", ["manager", "member"])
def test_nobody_below_an_owner_sees_it(member: Membership, role: str) -> None:
    Membership.objects.filter(pk=member.pk).update(role=role)
    event = record("thing.done", tenant=member.tenant)
    client = signed_in(member)

    for address in (
        LIST,
        f"{LIST}{event.pk}/change/",
        reverse("admin:tenants_auditevent_export", args=["csv"]),
    ):
        refused = {HTTPStatus.FORBIDDEN, HTTPStatus.FOUND}
        assert client.get(address).status_code in refused, address


def test_who_owns_one_tenant_and_manages_another_reads_the_first_log(
    as_owner: Client, owner: Membership, other_tenant: Tenant
) -> None:
    Membership.objects.create(user=owner.user, tenant=other_tenant, role="manager")
    event = record("other.done", tenant=other_tenant)

    assert "other.done" not in shown(as_owner)
    assert as_owner.get(f"{LIST}{event.pk}/change/").status_code == HTTPStatus.FOUND


def test_an_event_shows_where_it_came_from_and_its_place_in_the_chain(
    as_owner: Client, owner: Membership
) -> None:
    event = record("thing.done", tenant=owner.tenant)
    event.refresh_from_db()

    page = as_owner.get(f"{LIST}{event.pk}/change/").content.decode()

    assert event.hash in page
    assert event.previous_hash in page
    assert "Client address" in page


def test_an_event_is_not_changed_deleted_or_added(as_admin: Client, tenant: Tenant) -> None:
    event = AuditEvent.objects.latest("created_at")

    for address in (f"{LIST}{event.pk}/change/", f"{LIST}{event.pk}/delete/", f"{LIST}add/"):
        response = as_admin.post(address, {"action": "forged", "post": "yes"})
        assert response.status_code == HTTPStatus.FORBIDDEN, address


# ── Filters ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"kind": "investigations"}, {"investigation.opened", "conversation.read"}),
        ({"kind": "deletions"}, {"conversation.deleted"}),
        ({"kind": "sign-ins"}, {"person.signed-in", "password.changed"}),
        ({"kind": "investigations", "by": "bob"}, set()),
        ({"by": "BOB@"}, {"conversation.deleted"}),
        ({"of": "globex", "kind": "sign-ins"}, {"person.signed-in"}),
        ({"of": "-"}, {"password.changed"}),
        ({"q": "conversation.re"}, {"conversation.read"}),
        ({"q": "bob@example.org"}, {"conversation.deleted"}),
        ({"kind": "", "by": "", "of": "", "created_at_from": "", "q": "conversation.re"},
         {"conversation.read"}),
    ],
)  # fmt: skip
def test_the_list_is_filtered(
    as_admin: Client, events: None, filters: dict[str, str], expected: set[str]
) -> None:
    assert set(shown(as_admin, **filters)) == expected


def test_every_group_of_actions_can_be_chosen(as_admin: Client, events: None) -> None:
    for group in GROUPS:
        shown(as_admin, kind=group)


def test_a_range_of_days_has_both_ends(as_admin: Client, events: None) -> None:
    today = timezone.localdate()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)

    def between(first: object, last: object) -> int:
        return len(shown(as_admin, created_at_from=str(first), created_at_to=str(last), of="-"))

    assert between(today, today) == 1
    assert between(yesterday, yesterday) == 0
    assert between(tomorrow, tomorrow) == 0
    assert between("", today) == between(yesterday, "") == 1


@pytest.mark.parametrize(
    "filters",
    [
        {"created_at_from": "soon"},
        {"created_at_to": "9999-12-31"},
        {"kind": "nonsense"},
        {"of": "initech"},
        {"created_at__year": "0"},
        {"created_at__year": "10000"},
        {"created_at__year": "9" * 30},
        {"created_at__gte": "0001-01-01"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    as_admin: Client, events: None, filters: dict[str, str]
) -> None:
    export = reverse("admin:tenants_auditevent_export", args=["csv"])

    assert as_admin.get(LIST, filters)["Location"].endswith("?e=1")
    assert as_admin.get(export, filters).status_code == HTTPStatus.BAD_REQUEST
    assert not AuditEvent.objects.filter(action="audit.exported").exists()


@pytest.mark.parametrize(
    "filters",
    [
        {"actor__password__startswith": "argon2"},
        {"actor__email__startswith": "a"},
        {"tenant__conversations__title__startswith": "G"},
        {"subject__startswith": "a"},
    ],
)
def test_what_the_list_does_not_show_cannot_be_guessed_by_filtering(
    as_owner: Client, filters: dict[str, str]
) -> None:
    assert as_owner.get(LIST, filters).status_code == HTTPStatus.BAD_REQUEST


def test_an_owner_of_one_tenant_is_not_offered_others(
    as_owner: Client, events: None, other_tenant: Tenant
) -> None:
    page = as_owner.get(LIST).content.decode()

    assert other_tenant.name not in page


@pytest.mark.parametrize("of", ["globex", "nonsense", "-"])
def test_who_has_no_choice_of_tenants_is_refused_any_but_their_own(
    as_owner: Client, events: None, of: str
) -> None:
    export = reverse("admin:tenants_auditevent_export", args=["csv"])

    assert as_owner.get(LIST, {"of": of})["Location"].endswith("?e=1")
    assert as_owner.get(export, {"of": of}).status_code == HTTPStatus.BAD_REQUEST
    assert not AuditEvent.objects.filter(action="audit.exported").exists()
    assert "conversation.read" in shown(as_owner, of="acme")
