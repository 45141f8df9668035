"""The admin of people, tenants and the audit log."""

from tenants.admin import audit, organisations, people

__all__ = ["audit", "organisations", "people"]
