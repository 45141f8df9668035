"""What each role may do. docs/security.md has the same table, and a test tries every cell."""

from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property

from tenants.models import Membership, Tenant, User

Role = Membership.Role


class Right(StrEnum):
    """Something that not everybody may do in a tenant."""

    CHAT = "chat"
    RUN_PEOPLE = "run people"
    RUN_PROMPTS = "run prompts"
    RUN_MODELS = "run models"
    SEE_REPORTS = "see reports"
    RUN_SETTINGS = "run settings"
    READ_AUDIT = "read the audit log"
    INVESTIGATE = "investigate"


_MEMBER = frozenset({Right.CHAT})
_MANAGER = _MEMBER | {Right.RUN_PEOPLE, Right.RUN_PROMPTS, Right.RUN_MODELS, Right.SEE_REPORTS}
_OWNER = _MANAGER | {Right.RUN_SETTINGS, Right.READ_AUDIT, Right.INVESTIGATE}

RIGHTS: dict[str, frozenset[Right]] = {
    Role.MEMBER: _MEMBER,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _OWNER,
}
# The roles whose people enter the admin.
RUNNING_ROLES = (Role.MANAGER, Role.OWNER)


def rights_of(membership: Membership) -> frozenset[Right]:
    """What this person may do in this tenant."""
    rights = RIGHTS[membership.role]
    is_hidden = membership.tenant.reports_for == Tenant.ReportReaders.OWNER
    return rights - {Right.SEE_REPORTS} if is_hidden and membership.role != Role.OWNER else rights


def may_give(giver: Membership, role: str) -> bool:
    """Whether this person may make somebody this, or change who is: never above themselves."""
    order = [*RIGHTS]
    has_right = Right.RUN_PEOPLE in rights_of(giver)
    return has_right and order.index(role) <= order.index(giver.role)


class AdminAccess:
    """What a person may do in the admin: all of it as platform administrator, or as roles allow.

    Read once for a request. `memberships` are their usable ones with a role that runs a tenant.
    """

    def __init__(self, user: User, memberships: Iterable[Membership]) -> None:
        self.user = user
        self.is_administrator = user.is_active and user.is_superuser
        self.memberships = {m.tenant_id: m for m in memberships if m.role in RUNNING_ROLES}

    @property
    def may_enter(self) -> bool:
        """Whether there is anything for them in the admin."""
        return self.is_administrator or bool(self.memberships)

    @cached_property
    def tenants(self) -> list[Tenant]:
        """The tenants that they run; not those that they see as administrator."""
        return [membership.tenant for membership in self.memberships.values()]

    def tenants_with(self, right: Right) -> list[Tenant]:
        """The tenants in which a role of theirs gives them this right."""
        return [m.tenant for m in self.memberships.values() if right in rights_of(m)]

    def may(self, right: Right, tenant: Tenant | None = None) -> bool:
        """Whether they may do this in the tenant; without one, in any."""
        if self.is_administrator:
            return True
        if tenant is None:
            return bool(self.tenants_with(right))
        membership = self.memberships.get(tenant.pk)
        return membership is not None and right in rights_of(membership)
