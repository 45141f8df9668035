"""What an account leaves behind when an administrator switches it off."""

import uuid
from collections.abc import Iterable

from django.db import transaction

from tenants.errors import LastOwner
from tenants.models import Invitation, Membership, Tenant, User
from tenants.services.invitations import end_invitations
from tenants.services.organisations import lock_tenant


def ensure_may_switch_off(user: User) -> None:
    """Raise LastOwner where a tenant would be left without anybody who can run it.

    Inside a transaction of the platform's scope: until its end the answer holds.
    """
    tenants = _lock(user.memberships.values_list("tenant", flat=True))
    left = [tenant.name for tenant in tenants if _is_last_owner(user, tenant)]
    if left:
        raise LastOwner(
            f"{user} is the last owner of {', '.join(left)}. Make somebody else owner there first."
        )


@transaction.atomic
def withdraw_invitations_of(user: User, *, actor: User | None = None) -> None:
    """Withdraw what this person has sent: who is switched off asks nobody in."""
    sent = Invitation.objects.filter(invited_by=user)
    _lock(sent.values_list("tenant", flat=True))
    end_invitations(sent, actor=actor, because="sender may not any more")


def _lock(ids: Iterable[uuid.UUID]) -> list[Tenant]:
    """These tenants, locked in one order, so that no two of us wait for each other."""
    return [lock_tenant(tenant_id) for tenant_id in sorted(set(ids))]


def _is_last_owner(user: User, tenant: Tenant) -> bool:
    owners = Membership.objects.owners().filter(tenant=tenant)
    return owners.filter(user=user).exists() and not owners.exclude(user=user).exists()
