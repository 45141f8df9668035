"""The tenants app: who may."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Users, tenants, memberships and the audit log."""

    name = "tenants"
