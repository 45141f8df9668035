"""Errors whose text is safe to show to the person who caused them."""


class TenantError(Exception):
    """A refusal in the user's words."""


class UnknownTenant(TenantError):
    """No tenant has this slug."""


class AlreadyExists(TenantError):
    """What should be created is there already."""


class NotAllowed(TenantError):
    """The role of the person who acts does not let them do this."""


class LastOwner(TenantError):
    """The tenant would be left without anybody who can run it."""


class NoLonger(TenantError):
    """What should be changed is not there any more, or not in that state."""


class TooManyInvitations(TenantError):
    """The tenant has as many open invitations as it may have."""


class LinkNotWorking(TenantError):
    """The link of an invitation opens nothing.

    The text is the same for every cause, so that nothing is learnt from it; `reason` is for the
    log.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("This link no longer works.")
        self.reason = reason
