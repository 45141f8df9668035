"""Invitations: what becomes of them, and how often a link works."""

import hashlib
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.utils import timezone

from tenants.errors import (
    AlreadyExists,
    LinkNotWorking,
    NoLonger,
    TenantError,
    TooManyInvitations,
)
from tenants.models import AuditEvent, Invitation, Membership, Tenant, User
from tenants.scope import tenant_scope
from tenants.services import (
    accept,
    accept_with_new_account,
    add_member,
    find_invitation,
    invite,
    invite_all,
    resend,
    withdraw,
)
from tests.tenants.cast import at_once, link, manager, token_of

__all__ = ["link", "manager"]  # fixtures

DORA = "dora@example.org"
Capture = Callable[..., Any]


def actions(tenant: Tenant) -> list[str]:
    """What was done in the tenant, in order."""
    events = AuditEvent.objects.filter(tenant=tenant).order_by("sequence")
    return [event.action for event in events]


# ── Inviting ───────────────────────────────────────────────────────────────────────────────────
def test_a_link_has_256_random_bits_of_which_only_a_hash_is_kept(tenant: Tenant) -> None:
    sent = invite(tenant=tenant, email="Dora@Example.org", role="member")

    token = token_of(sent.link)
    kept = Invitation.objects.get()
    assert len(token) == 43  # 32 bytes, in base64
    assert kept.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert kept.email == DORA
    assert token not in str(AuditEvent.objects.values_list("detail", "subject"))


def test_the_mail_goes_when_the_invitation_is_there_for_good(
    tenant: Tenant,
    owner: Membership,
    django_capture_on_commit_callbacks: Capture,
    mailoutbox: list[EmailMessage],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        sent = invite(tenant=tenant, email=DORA, role="manager", actor=owner.user, giver=owner)
        assert not mailoutbox

    (message,) = mailoutbox
    assert message.to == [DORA]
    assert message.subject == "Join Acme on Atrium"
    assert "Alice invites you to join Acme on Atrium, as manager." in str(message.body)
    assert sent.link in str(message.body)
    assert sent.link.startswith("http://127.0.0.1:8000/invitations/")


def test_names_can_neither_add_headers_nor_lines_nor_markup_to_the_mail(
    tenant: Tenant,
    owner: Membership,
    django_capture_on_commit_callbacks: Capture,
    mailoutbox: list[EmailMessage],
) -> None:
    evil = "A\r\nBcc: eve@example.org\n\n\u2028<b>& {{ 7 }}\u202e"
    Tenant.objects.update(name=evil)
    User.objects.update(name=evil)
    owner.user.refresh_from_db()

    with django_capture_on_commit_callbacks(execute=True):
        invite(tenant=tenant, email=DORA, role="member", actor=owner.user, giver=owner)

    (message,) = mailoutbox
    harmless = "A Bcc: eve@example.org <b>& {{ 7 }}"
    headers = message.message()
    assert message.subject == f"Join {harmless} on Atrium"
    assert headers["Bcc"] is None
    assert message.recipients() == [DORA]
    assert f"{harmless} invites you to join {harmless} on Atrium, as member." in str(message.body)


@pytest.mark.parametrize(
    "email", ["", "dora", "dora@", "a b@example.org", "dora@example.org\nBcc: eve@example.org"]
)
def test_what_is_no_address_is_refused(tenant: Tenant, email: str) -> None:
    with pytest.raises(ValidationError):
        invite(tenant=tenant, email=email, role="member")

    assert not Invitation.objects.exists()


def test_a_role_that_does_not_exist_is_refused(tenant: Tenant) -> None:
    with pytest.raises(ValidationError):
        invite(tenant=tenant, email=DORA, role="king")


@pytest.mark.parametrize(("is_active", "says"), [(True, "already"), (False, "switched off")])
def test_who_belongs_already_is_not_invited(
    member: Membership,
    is_active: bool,
    says: str,
) -> None:
    Membership.objects.update(is_active=is_active)

    with pytest.raises(AlreadyExists, match=says):
        invite(tenant=member.tenant, email="BOB@example.org", role="member")


def test_who_belongs_to_another_tenant_is_invited(tenant: Tenant, outsider: Membership) -> None:
    invite(tenant=tenant, email=outsider.user.email, role="member")

    assert Invitation.objects.get().email == outsider.user.email


def test_a_suspended_tenant_invites_nobody(tenant: Tenant) -> None:
    Tenant.objects.update(status=Tenant.Status.SUSPENDED)

    with pytest.raises(NoLonger, match="suspended"):
        invite(tenant=tenant, email=DORA, role="member")


def test_inviting_again_replaces_the_invitation_before(tenant: Tenant, link: str) -> None:
    again = invite(tenant=tenant, email=DORA, role="manager")

    assert find_invitation(token_of(again.link)).role == "manager"
    with pytest.raises(LinkNotWorking):
        find_invitation(token_of(link))
    assert actions(tenant)[-3:] == [
        "invitation.created",
        "invitation.withdrawn",
        "invitation.created",
    ]


def test_a_tenant_has_a_hundred_open_invitations_at_most(tenant: Tenant, link: str) -> None:
    emails = [f"p{number}@example.org" for number in range(99)]
    sent = invite_all(tenant=tenant, emails=emails, role="member")

    with pytest.raises(TooManyInvitations, match="100 open invitations"):
        invite(tenant=tenant, email="one-more@example.org", role="member")
    invite(tenant=tenant, email=DORA, role="member")  # takes the place of its own
    withdraw(invitation=sent[0].invitation)
    invite(tenant=tenant, email="one-more@example.org", role="member")

    assert tenant.invitations.open().count() == 100


def test_of_several_people_all_are_invited_or_nobody(
    member: Membership, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Capture
) -> None:
    emails = [DORA, "bob@example.org", "eric@example.org"]

    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(AlreadyExists, match=r"^bob@example.org belongs"),
    ):
        invite_all(tenant=member.tenant, emails=emails, role="member")

    assert not Invitation.objects.exists()
    assert not mailoutbox


# ── Sending again, taking back ─────────────────────────────────────────────────────────────────
def test_a_new_link_kills_the_one_before_and_begins_a_new_week(tenant: Tenant, link: str) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(LinkNotWorking):
        find_invitation(token_of(link))

    again = resend(invitation=Invitation.objects.get())

    assert find_invitation(token_of(again.link)).email == DORA
    with pytest.raises(LinkNotWorking):
        find_invitation(token_of(link))
    assert actions(tenant)[-1] == "invitation.resent"


def test_a_withdrawn_invitation_opens_nothing_and_stays_withdrawn(
    tenant: Tenant, link: str
) -> None:
    invitation = withdraw(invitation=Invitation.objects.get())

    assert invitation.state == "withdrawn"
    with pytest.raises(LinkNotWorking):
        find_invitation(token_of(link))
    with pytest.raises(NoLonger, match="withdrawn already"):
        resend(invitation=invitation)
    assert actions(tenant)[-1] == "invitation.withdrawn"


def test_an_accepted_invitation_can_neither_be_sent_again_nor_withdrawn(link: str) -> None:
    accept_with_new_account(token=token_of(link), name="Dora", password="violet harbour lantern")
    invitation = Invitation.objects.get()

    for service in (resend, withdraw):
        with pytest.raises(NoLonger, match="accepted already"):
            service(invitation=invitation)


def test_who_was_made_a_member_meanwhile_needs_no_invitation_any_more(
    tenant: Tenant, link: str
) -> None:
    dora = User.objects.create_user(DORA)
    add_member(tenant=tenant, user=dora, role="member")

    with pytest.raises(LinkNotWorking):
        accept(token=token_of(link), user=dora)


# ── Accepting ──────────────────────────────────────────────────────────────────────────────────
def test_joining_makes_a_member_with_the_role_and_is_written_down(
    tenant: Tenant, link: str
) -> None:
    dora = User.objects.create_user(DORA)

    membership = accept(token=token_of(link), user=dora)

    invitation = Invitation.objects.get()
    assert (membership.tenant, membership.user, membership.role) == (tenant, dora, "member")
    assert (invitation.state, invitation.accepted_by) == ("accepted", dora)
    assert actions(tenant)[-2:] == ["membership.created", "invitation.accepted"]
    assert AuditEvent.objects.get(action="invitation.accepted").actor == dora


def test_an_invitation_is_bound_to_its_address(link: str, nobody: User) -> None:
    with pytest.raises(LinkNotWorking) as refusal:
        accept(token=token_of(link), user=nobody)

    assert "another address" in refusal.value.reason
    assert not nobody.memberships.exists()
    assert find_invitation(token_of(link))  # theirs still works


@pytest.mark.parametrize("switched_off", ["tenant", "account", "membership"])
def test_what_is_switched_off_cannot_be_joined_with_or_to(
    tenant: Tenant, link: str, switched_off: str
) -> None:
    dora = User.objects.create_user(DORA)
    if switched_off == "tenant":
        Tenant.objects.update(status=Tenant.Status.SUSPENDED)
    elif switched_off == "account":
        User.objects.filter(pk=dora.pk).update(is_active=False)
        dora.refresh_from_db()
    else:
        Membership.objects.create(tenant=tenant, user=dora, is_active=False)

    with pytest.raises(LinkNotWorking):
        accept(token=token_of(link), user=dora)

    assert not dora.memberships.usable().exists()
    assert Invitation.objects.get().accepted_at is None


@pytest.mark.parametrize("token", ["", "x", "\0", "ü" * 5000, "' OR 1=1 --", "%00"])
def test_what_is_no_token_opens_nothing(link: str, token: str) -> None:
    with pytest.raises(LinkNotWorking) as refusal:
        find_invitation(token)

    assert refusal.value.reason == "unknown"


def test_the_hash_that_is_kept_is_no_token(link: str) -> None:
    with pytest.raises(LinkNotWorking):
        find_invitation(Invitation.objects.get().token_hash)


# ── At once ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.django_db(transaction=True)
def test_of_two_who_follow_one_link_at_once_one_joins(tenant: Tenant, link: str) -> None:
    dora = User.objects.create_user(DORA)

    results = at_once(*[lambda: accept(token=token_of(link), user=dora)] * 4)

    joined = [result for result in results if isinstance(result, Membership)]
    refused = [result for result in results if isinstance(result, LinkNotWorking)]
    assert (len(joined), len(refused)) == (1, 3)
    assert dora.memberships.count() == 1
    assert actions(tenant).count("invitation.accepted") == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_new_accounts_by_one_link_at_once_one_is_made(tenant: Tenant, link: str) -> None:
    def join() -> Membership:
        return accept_with_new_account(token=token_of(link), name="D", password="violet harbour")

    results = at_once(join, join, join)

    assert sum(isinstance(result, Membership) for result in results) == 1
    assert all(isinstance(result, Membership | TenantError) for result in results)
    assert User.objects.get(email=DORA).memberships.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_tenants_that_invite_one_new_person_get_one_account(
    tenant: Tenant, other_tenant: Tenant, link: str
) -> None:
    other_link = invite(tenant=other_tenant, email=DORA, role="member").link

    def join(token: str) -> Membership:
        return accept_with_new_account(token=token, name="D", password="violet harbour")

    results = at_once(lambda: join(token_of(link)), lambda: join(token_of(other_link)))

    assert sum(isinstance(result, Membership) for result in results) == 1
    assert sum(isinstance(result, AlreadyExists) for result in results) == 1
    assert User.objects.filter(email=DORA).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_invite_one_person_at_once_leave_one_open_invitation(
    tenant: Tenant, owner: Membership, manager: Membership
) -> None:
    def ask(giver: Membership) -> object:
        with tenant_scope(tenant):
            return invite(tenant=tenant, email=DORA, role="member", giver=giver, actor=giver.user)

    results = at_once(lambda: ask(owner), lambda: ask(manager))

    assert not [result for result in results if isinstance(result, Exception)]
    assert Invitation.objects.open().count() == 1
    assert not re.search("withdrawn.*withdrawn", " ".join(actions(tenant)))
