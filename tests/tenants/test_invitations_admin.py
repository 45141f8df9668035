"""Invitations in the admin: several people at once, links sent again and withdrawn."""

from http import HTTPStatus
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from tenants.models import AuditEvent, Invitation, Membership, Tenant
from tenants.services import invite
from tests.admin import act, administrator, as_admin
from tests.tenants.cast import (
    browser_of,
    mailed_link,
    manager,
    nothing_written,
)

__all__ = ["administrator", "as_admin", "manager"]  # fixtures

INVITATIONS = "/admin/tenants/invitation/"


def test_several_people_are_invited_at_once(
    manager: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    fields = {
        "tenant": str(manager.tenant_id),
        "emails": "dora@example.org\r\nEric@example.org, dora@example.org",
        "role": "member",
    }

    with django_capture_on_commit_callbacks(execute=True):
        response = browser_of(manager.user).post(f"{INVITATIONS}add/", fields, follow=True)

    assert "on their way to dora@example.org, eric@example.org." in response.content.decode()
    assert [message.to for message in mail.outbox] == [["dora@example.org"], ["eric@example.org"]]
    assert {each.invited_by for each in Invitation.objects.all()} == {manager.user}
    assert mailed_link(0) != mailed_link(1)


@pytest.mark.parametrize(
    ("emails", "says"),
    [
        ("dora@example.org\nbob@example.org", "bob@example.org belongs to Acme already"),
        ("dora@example.org\nnobody", "“nobody” is no e-mail address"),
        ("", "This field is required"),
        ("dora@example.org, <script>@x", "“&lt;script&gt;@x” is no e-mail address"),
    ],
)
def test_one_bad_address_stops_all_and_nothing_typed_is_lost(
    owner: Membership, member: Membership, emails: str, says: str
) -> None:
    fields = {"tenant": str(owner.tenant_id), "emails": emails, "role": "manager"}

    with nothing_written(Invitation, AuditEvent):
        response = browser_of(owner.user).post(f"{INVITATIONS}add/", fields)

    page = response.content.decode()
    assert response.status_code == HTTPStatus.OK
    assert says in page
    assert response.context["adminform"].form["emails"].value() == emails
    assert response.context["adminform"].form["role"].value() == "manager"


def test_a_crafted_invitation_goes_nowhere(
    manager: Membership, other_tenant: Tenant, outsider: Membership
) -> None:
    client = browser_of(manager.user)
    mine, theirs = str(manager.tenant_id), str(other_tenant.pk)

    with nothing_written(Invitation, AuditEvent):
        for fields in (
            {"tenant": mine, "role": "owner"},
            {"tenant": theirs, "role": "member"},
            {"tenant": "nonsense", "role": "member"},
            {"tenant": mine, "role": "king"},
            {"role": "member"},
        ):
            response = client.post(f"{INVITATIONS}add/", {"emails": "d@example.org", **fields})
            assert response.status_code == HTTPStatus.OK, fields


def test_an_owner_of_one_tenant_invites_no_owner_where_they_are_a_manager(
    owner: Membership, other_tenant: Tenant
) -> None:
    Membership.objects.create(user=owner.user, tenant=other_tenant, role="manager")
    fields = {"tenant": str(other_tenant.pk), "emails": "d@example.org", "role": "owner"}

    with nothing_written(Invitation):
        response = browser_of(owner.user).post(f"{INVITATIONS}add/", fields)

    assert "As manager of Globex you cannot make somebody owner" in response.content.decode()


def test_links_are_sent_again_and_withdrawn_from_the_list(
    owner: Membership, django_capture_on_commit_callbacks: Any
) -> None:
    first = invite(tenant=owner.tenant, email="dora@example.org", role="member").invitation
    client = browser_of(owner.user)

    with django_capture_on_commit_callbacks(execute=True):
        again = act(client, "resend", first)
    withdrawn = act(client, "withdraw", first)
    refused = act(client, "resend", first)

    assert "on their way to dora@example.org" in again
    assert mail.outbox[-1].to == ["dora@example.org"]
    assert "Withdrawn: dora@example.org." in withdrawn
    assert "is withdrawn already" in refused


def test_invitations_of_another_tenant_are_out_of_reach(
    owner: Membership, other_tenant: Tenant
) -> None:
    theirs = invite(tenant=other_tenant, email="dora@example.org", role="member").invitation
    client = browser_of(owner.user)
    page = reverse("admin:tenants_invitation_change", args=[theirs.pk])

    with nothing_written(Invitation, AuditEvent):
        shown = client.get(page)
        listed = client.get(INVITATIONS)
        for action in ("resend", "withdraw"):
            act(client, action, theirs, select_across="1")

    assert shown.status_code in {HTTPStatus.FOUND, HTTPStatus.FORBIDDEN}
    assert "dora@example.org" not in listed.content.decode()


def test_no_page_of_the_admin_shows_a_token_or_its_hash(
    as_admin: Client, owner: Membership
) -> None:
    sent = invite(tenant=owner.tenant, email="dora@example.org", role="member")
    token = sent.link.rstrip("/").rpartition("/")[2]
    change_page = reverse("admin:tenants_invitation_change", args=[sent.invitation.pk])

    for address in (INVITATIONS, change_page, "/admin/tenants/auditevent/"):
        page = as_admin.get(address).content.decode()
        assert token not in page
        assert sent.invitation.token_hash not in page


@pytest.mark.parametrize("state", ["open", "accepted", "withdrawn", "expired"])
def test_invitations_are_filtered_by_what_became_of_them(
    as_admin: Client, owner: Membership, state: str
) -> None:
    invite(tenant=owner.tenant, email="dora@example.org", role="member")

    page = as_admin.get(INVITATIONS, {"state": state})

    assert len(page.context["cl"].result_list) == (1 if state == "open" else 0)
