"""The admin of people, tenants and the audit log."""

from tenants.admin import audit, invitations, memberships, organisations, people

__all__ = ["audit", "invitations", "memberships", "organisations", "people"]
