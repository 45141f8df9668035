"""Asking people to join a tenant, by a link that works once and for their address alone.

`actor` and `giver`: see tenants/services/people.py. Of a link's token only the hash is kept, so a
link is seen when it is made and never again.
"""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.core.mail import send_mail
from django.db import models, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from tenants.errors import AlreadyExists, NoLonger, NotAllowed, TenantError, TooManyInvitations
from tenants.models import Invitation, Membership, Tenant, User
from tenants.services.audit import record
from tenants.services.giving import ensure_may_give
from tenants.services.organisations import lock_tenant

MOST_OPEN = 100
_TOKEN_BYTES = 32  # 256 random bits


class Sent(NamedTuple):
    """An invitation and its link, which is mailed when the transaction commits."""

    invitation: Invitation
    link: str


def hash_of(token: str) -> str:
    """What is kept of a token. It is random, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


# ── What can be done ───────────────────────────────────────────────────────────────────────────
@transaction.atomic
def invite(
    *,
    tenant: Tenant,
    email: str,
    role: str,
    actor: User | None = None,
    giver: Membership | None = None,
) -> Sent:
    """Ask the person with this address to join; an earlier invitation of theirs is replaced.

    Raises AlreadyExists for who belongs already, NotAllowed, TooManyInvitations, NoLonger for a
    suspended tenant, and ValidationError for a bad address or role.
    """
    tenant, address = lock_tenant(tenant.pk), email.strip().lower()
    invitation = Invitation(tenant=tenant, email=address, role=role, invited_by=actor)
    invitation.clean_fields(exclude={f.name for f in Invitation._meta.fields} - {"email", "role"})
    earlier = tenant.invitations.filter(email=address)
    earlier_roles = _pending(earlier).values_list("role", flat=True)
    ensure_may_give(giver, tenant, role, *earlier_roles)
    _ensure_may_join(tenant, address)
    end_invitations(earlier, actor=actor, because="replaced")
    _ensure_room(tenant)
    link = _new_link(invitation)
    invitation.save()
    _record("created", invitation, actor, role=role)
    _mail_on_commit(invitation, link)
    return Sent(invitation, link)


@transaction.atomic
def invite_all(
    *,
    tenant: Tenant,
    emails: Iterable[str],
    role: str,
    actor: User | None = None,
    giver: Membership | None = None,
) -> list[Sent]:
    """Ask all of these people, or nobody: the first refusal is raised, with its address."""
    sent = []
    for email in emails:
        try:
            sent.append(invite(tenant=tenant, email=email, role=role, actor=actor, giver=giver))
        except TenantError as refusal:
            said = str(refusal)
            raise type(refusal)(said if email in said else f"{email}: {said}") from None
    return sent


@transaction.atomic
def resend(
    *, invitation: Invitation, actor: User | None = None, giver: Membership | None = None
) -> Sent:
    """Send a new link, valid for as long as a first one; the link before dies.

    Raises NoLonger for an invitation that was accepted or withdrawn, and as `invite` does.
    """
    tenant, invitation = _lock(invitation)
    ensure_may_give(giver, tenant, invitation.role)
    _ensure_may_join(tenant, invitation.email)
    _ensure_room(tenant, besides=invitation)
    link = _new_link(invitation)
    invitation.invited_by = actor
    invitation.expires_at = timezone.now() + timedelta(days=Invitation.VALID_DAYS)
    invitation.save(update_fields=["token_hash", "invited_by", "expires_at"])
    _record("resent", invitation, actor, role=invitation.role)
    _mail_on_commit(invitation, link)
    return Sent(invitation, link)


@transaction.atomic
def withdraw(
    *, invitation: Invitation, actor: User | None = None, giver: Membership | None = None
) -> Invitation:
    """Take the invitation back: its link stops working.

    Raises NoLonger for one that was accepted or withdrawn already, and NotAllowed.
    """
    tenant, invitation = _lock(invitation)
    ensure_may_give(giver, tenant, invitation.role)
    end_invitations(tenant.invitations.filter(pk=invitation.pk), actor=actor, because="withdrawn")
    invitation.refresh_from_db()
    return invitation


# ── What other services do with invitations ────────────────────────────────────────────────────
def end_invitations(
    rows: "models.QuerySet[Invitation]", *, actor: User | None, because: str
) -> None:
    """Withdraw those of these that are pending. The caller holds the lock of their tenant."""
    # By tenant, because each event locks its tenant's chain: see `record`.
    for invitation in _pending(rows).select_related("tenant").order_by("tenant_id", "created_at"):
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
        _record("withdrawn", invitation, actor, because=because)


def end_invitations_beyond(membership: Membership, *, actor: User | None) -> None:
    """Withdraw what this person has sent and, as they are now, could not send any more."""
    sent = membership.tenant.invitations.filter(invited_by=membership.user_id)
    roles = set(_pending(sent).values_list("role", flat=True))
    for role in roles:
        try:
            ensure_may_give(membership, membership.tenant, role)
        except NotAllowed:
            end_invitations(sent.filter(role=role), actor=actor, because="sender may not any more")


# ── Rules ──────────────────────────────────────────────────────────────────────────────────────
def _pending(rows: "models.QuerySet[Invitation]") -> "models.QuerySet[Invitation]":
    """Neither accepted nor withdrawn; expired ones are among them."""
    return rows.filter(accepted_at=None, withdrawn_at=None)


def _ensure_may_join(tenant: Tenant, address: str) -> None:
    if tenant.status != Tenant.Status.ACTIVE:
        raise NoLonger(f"{tenant} is suspended: nobody can join it.")
    theirs = Membership.objects.filter(user__email=address, tenant=tenant).first()
    if theirs is None:
        return
    if theirs.is_active:
        raise AlreadyExists(f"{address} belongs to {tenant} already.")
    raise AlreadyExists(f"{address} belongs to {tenant} already, and is switched off.")


def _ensure_room(tenant: Tenant, *, besides: Invitation | None = None) -> None:
    others = tenant.invitations.open()
    if besides:
        others = others.exclude(pk=besides.pk)
    if others.count() >= MOST_OPEN:
        raise TooManyInvitations(
            f"{tenant} has {MOST_OPEN} open invitations, which is the most at a time."
            " Withdraw some, or wait until they are accepted or expire."
        )


def _lock(invitation: Invitation) -> tuple[Tenant, Invitation]:
    """The tenant, locked, and its invitation as it is now. Raises NoLonger if it is over."""
    tenant = lock_tenant(invitation.tenant_id)
    current = tenant.invitations.get(pk=invitation.pk)
    if current.accepted_at or current.withdrawn_at:
        raise NoLonger(f"The invitation of {current.email} is {current.state} already.")
    return tenant, current


# ── Link and mail ──────────────────────────────────────────────────────────────────────────────
def _new_link(invitation: Invitation) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    invitation.token_hash = hash_of(token)
    return str(settings.PUBLIC_URL) + reverse("accept_invitation", args=[token])


def _mail_on_commit(invitation: Invitation, link: str) -> None:
    context = {
        "invitation": invitation,
        "link": link,
        "tenant_name": in_one_line(invitation.tenant),
    }
    if invitation.invited_by:
        context["inviter"] = in_one_line(invitation.invited_by.get_full_name())
    subject = f"Join {context['tenant_name']} on Atrium"
    text = render_to_string("tenants/mail/invitation.txt", context)
    transaction.on_commit(lambda: _send(subject, text, invitation.email))


def _send(subject: str, text: str, address: str) -> None:
    send_mail(subject, text, None, [address])


def in_one_line(text: object) -> str:
    """Without line breaks and control characters: safe in a mail's subject, and in its text."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return " ".join(printable.split())


def _record(verb: str, invitation: Invitation, actor: User | None, **detail: object) -> None:
    record(
        f"invitation.{verb}",
        subject=invitation,
        actor=actor,
        tenant=invitation.tenant,
        email=invitation.email,
        **detail,
    )
