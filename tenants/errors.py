"""Errors whose text is safe to show to the person who caused them."""


class TenantError(Exception):
    """A refusal in the user's words."""


class UnknownTenant(TenantError):
    """No tenant has this slug."""


class AlreadyExists(TenantError):
    """What should be created is there already."""
