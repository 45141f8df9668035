"""Following the link of an invitation, with an account or with a new one."""

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from tenants.errors import AlreadyExists, LinkNotWorking
from tenants.models import Invitation, Membership, Tenant, User
from tenants.scope import platform_scope, tenant_scope
from tenants.services.audit import record
from tenants.services.invitations import hash_of
from tenants.services.organisations import lock_tenant
from tenants.services.people import add_member


def find_invitation(token: str) -> Invitation:
    """The invitation behind a link, with its tenant. Raises LinkNotWorking. Changes nothing."""
    with platform_scope("whom this invitation is for"):
        rows = Invitation.objects.select_related("tenant", "invited_by")
        invitation = rows.filter(token_hash=hash_of(token)).first()
    if invitation is None:
        raise LinkNotWorking("unknown")
    if invitation.state != "open":
        raise LinkNotWorking(invitation.state)
    if invitation.tenant.status != Tenant.Status.ACTIVE:
        raise LinkNotWorking("tenant suspended")
    if User.objects.filter(email=invitation.email, is_active=False).exists():
        raise LinkNotWorking("account inactive")
    return invitation


def accept(*, token: str, user: User) -> Membership:
    """Join as this person, whom the invitation has to be for. Raises LinkNotWorking.

    The link works once: of two at the same time one wins.
    """
    invitation = find_invitation(token)
    with tenant_scope(invitation.tenant_id):
        return _join(invitation, user)


def accept_with_new_account(*, token: str, name: str, password: str) -> Membership:
    """Join as a new person with the invitation's address, which the link proves to be theirs.

    `name` and `password` are checked by the form. Raises LinkNotWorking, and AlreadyExists where
    the address has an account by now.
    """
    invitation = find_invitation(token)
    try:
        with tenant_scope(invitation.tenant_id):
            lock_tenant(invitation.tenant_id)  # before the audit log's chain, as everybody does
            user = User.objects.create_user(invitation.email, password, name=name)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
            record("user.created", subject=user, actor=user, tenant=invitation.tenant)
            return _join(invitation, user)
    except (IntegrityError, ValidationError):
        raise AlreadyExists(f"{invitation.email} has an account already.") from None


def _join(invitation: Invitation, user: User) -> Membership:
    """Use the link up and make the person a member, in the tenant's scope."""
    tenant = lock_tenant(invitation.tenant_id)
    if not (user.is_active and tenant.status == Tenant.Status.ACTIVE):
        raise LinkNotWorking("account or tenant switched off meanwhile")
    mine = Invitation.objects.open().filter(
        pk=invitation.pk, token_hash=invitation.token_hash, email=user.email
    )
    if not mine.update(accepted_at=timezone.now(), accepted_by=user):
        raise LinkNotWorking("for another address, or used meanwhile")
    theirs = Membership.objects.select_related("tenant", "user").filter(user=user, tenant=tenant)
    membership = theirs.first()
    if membership and not membership.is_active:
        raise LinkNotWorking("membership switched off")
    membership = membership or add_member(
        tenant=tenant, user=user, role=invitation.role, actor=user
    )
    record("invitation.accepted", subject=invitation, actor=user, tenant=tenant, email=user.email)
    return membership
