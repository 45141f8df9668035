"""What a member may give to others: nothing above their own role."""

from tenants.errors import NotAllowed
from tenants.models import Membership, Tenant
from tenants.rights import may_give


def ensure_may_give(giver: Membership | None, tenant: Tenant, *roles: str) -> None:
    """Raise NotAllowed unless this member may make somebody each of these, or change who is.

    The membership is read again: within `lock_tenant` its role is the one that it has now. None: a
    platform administrator or a command, which may.
    """
    if giver is None:
        return
    usable = Membership.objects.usable().filter(tenant=tenant).select_related("tenant")
    current = usable.filter(pk=giver.pk).first()
    if current is None:
        raise NotAllowed(f"You do not run the people of {tenant} any more.")
    for role in roles:
        if not may_give(current, role):
            raise NotAllowed(
                f"As {current.role} of {tenant} you cannot make somebody {role}, nor change who is."
            )
