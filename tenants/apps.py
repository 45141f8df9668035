"""The tenants app: who may."""

from importlib import import_module

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Users, tenants, memberships and the audit log."""

    name = "tenants"

    def ready(self) -> None:
        """Write sign-ins to the audit log; its module needs the models, which are there now."""
        import_module("tenants.signins")
