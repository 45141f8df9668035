"""Who belongs to a tenant, and as what.

`actor` is the person who acts (for the audit log). `giver` is their membership where they act with
a role of theirs: they then reach nobody above themselves. None: a platform administrator, or a
command. Nobody leaves a tenant without an owner.
"""

from django.db import transaction

from tenants.errors import AlreadyExists, LastOwner, NoLonger
from tenants.models import Membership, Tenant, User
from tenants.services.audit import record
from tenants.services.giving import ensure_may_give
from tenants.services.invitations import end_invitations, end_invitations_beyond
from tenants.services.organisations import lock_tenant

Role = Membership.Role


# ── Coming ─────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def create_member(
    *,
    tenant: Tenant,
    email: str,
    role: str,
    name: str = "",
    password: str | None = None,
    actor: User | None = None,
) -> Membership:
    """Make the person with this e-mail a member, creating their account where they have none.

    An account that exists keeps its name and password. Raises AlreadyExists when they belong to the
    tenant already, and ValidationError for a bad e-mail or role.
    """
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name)
    return add_member(tenant=tenant, user=user, role=role, actor=actor)


@transaction.atomic
def add_member(*, tenant: Tenant, user: User, role: str, actor: User | None = None) -> Membership:
    """Make this person a member; an invitation that waits for them is not needed any more.

    Raises AlreadyExists when they belong to the tenant already, and ValidationError for a bad role.
    """
    lock_tenant(tenant.pk)
    if Membership.objects.filter(user=user, tenant=tenant).exists():
        raise AlreadyExists(f"{user.email} belongs to “{tenant.slug}” already.")
    membership = Membership(user=user, tenant=tenant, role=role)
    membership.full_clean()
    membership.save()
    _record("created", membership, actor, role=role)
    end_invitations(tenant.invitations.filter(email=user.email), actor=actor, because="joined")
    return membership


# ── Changing and leaving ───────────────────────────────────────────────────────────────────────
@transaction.atomic
def change_member(
    *,
    membership: Membership,
    role: str | None = None,
    is_active: bool | None = None,
    actor: User | None = None,
    giver: Membership | None = None,
) -> Membership:
    """Give the member another role, keep them out or let them in again; what is None stays.

    Raises NotAllowed, LastOwner or NoLonger.
    """
    current = ensure_may_change(membership, role=role, is_active=is_active, giver=giver)
    before = current.role
    current.role = role or before
    was_active, current.is_active = current.is_active, _either(is_active, current.is_active)
    current.save(update_fields=["role", "is_active"])
    if current.role != before:
        _record("role-changed", current, actor, **{"from": before, "to": current.role})
    if current.is_active != was_active:
        _record("reactivated" if current.is_active else "deactivated", current, actor)
    end_invitations_beyond(current, actor=actor)
    return current


@transaction.atomic
def remove_member(
    *, membership: Membership, actor: User | None = None, giver: Membership | None = None
) -> None:
    """End the membership; what the person wrote and used in the tenant is kept.

    Raises NotAllowed, LastOwner or NoLonger.
    """
    current = ensure_may_change(membership, is_active=False, giver=giver)
    _record("removed", current, actor, role=current.role)
    Membership.objects.filter(pk=current.pk).update(is_active=False)
    end_invitations_beyond(current, actor=actor)
    current.delete()


def ensure_may_change(
    membership: Membership,
    *,
    role: str | None = None,
    is_active: bool | None = None,
    giver: Membership | None = None,
) -> Membership:
    """Lock the tenant; the membership as it is now, if it may be changed to this.

    Raises NotAllowed where the giver reaches neither the member nor the new role, LastOwner where
    the tenant would be left without an owner, NoLonger where the membership is gone. Inside a
    transaction, until whose end the answer holds.
    """
    tenant = lock_tenant(membership.tenant_id)
    rows = Membership.objects.select_related("user", "tenant")
    current = rows.filter(pk=membership.pk).first()
    if current is None:
        raise NoLonger(f"They do not belong to {tenant} any more.")
    ensure_may_give(giver, tenant, current.role, role or current.role)
    stays = _either(is_active, current.is_active)
    if not (stays and (role or current.role) == Role.OWNER):
        _ensure_another_owner(current)
    return current


def _either(wanted: bool | None, current: bool) -> bool:  # noqa: FBT001  # two of a kind
    return current if wanted is None else wanted


def _ensure_another_owner(membership: Membership) -> None:
    owners = Membership.objects.owners().filter(tenant=membership.tenant_id)
    is_owner = owners.filter(pk=membership.pk).exists()
    if is_owner and not owners.exclude(pk=membership.pk).exists():
        raise LastOwner(
            f"{membership.user} is the last owner of {membership.tenant}. Make somebody else owner"
            " first."
        )


def _record(verb: str, membership: Membership, actor: User | None, **detail: object) -> None:
    record(
        f"membership.{verb}",
        subject=membership,
        actor=actor,
        tenant=membership.tenant,
        person=membership.user.email,
        **detail,
    )
