"""Who may: people, the organisations they belong to, and the log of what was done."""

from tenants.models.audit import AuditEvent, AuditHead
from tenants.models.memberships import Invitation, Membership
from tenants.models.organisations import Tenant, TenantLogo
from tenants.models.people import User

__all__ = [
    "AuditEvent",
    "AuditHead",
    "Invitation",
    "Membership",
    "Tenant",
    "TenantLogo",
    "User",
]
