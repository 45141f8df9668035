"""Who belongs to which tenant, with which role, and who is asked to join."""

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from tenants.models.organisations import Tenant
from tenants.models.people import User


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Memberships, narrowed."""

    def usable(self) -> Self:
        """Those that let their person in: active, of an active person, in an active tenant."""
        return self.filter(
            is_active=True, user__is_active=True, tenant__status=Tenant.Status.ACTIVE
        )

    def of(self, user_id: uuid.UUID | None) -> Self:
        """The memberships of one person, with their tenants, by tenant name."""
        return self.filter(user=user_id).select_related("tenant").order_by("tenant__name")

    def owners(self) -> Self:
        """Those that can run their tenant: active owners who are active people."""
        return self.filter(role=Membership.Role.OWNER, is_active=True, user__is_active=True)


class Membership(models.Model):
    """That a person belongs to a tenant, and what they may do there.

    The one argument that says who acts: it carries user, tenant and role. Deactivated for a while,
    or removed; the person's conversations and usage in the tenant are kept either way.
    """

    class Role(models.TextChoices):
        """What the person may do in the tenant; `tenants/rights.py` says what each may."""

        MEMBER = "member"
        MANAGER = "manager"
        OWNER = "owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            # One role per person and tenant; also finds the membership of a request.
            models.UniqueConstraint(fields=["user", "tenant"], name="one_membership_per_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.tenant} ({self.role})"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations, narrowed."""

    def open(self) -> Self:
        """Those that can still be accepted."""
        return self.filter(accepted_at=None, withdrawn_at=None, expires_at__gt=timezone.now())


def _default_expiry() -> datetime:
    return timezone.now() + timedelta(days=Invitation.VALID_DAYS)


class Invitation(models.Model):
    """That the person with this e-mail address may join a tenant with a role.

    Its link works once, until it expires or is withdrawn, for that address alone. Of the link's
    token only a hash is kept.
    """

    VALID_DAYS = 7

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(help_text="In lower case.")
    role = models.CharField(
        max_length=10, choices=Membership.Role.choices, default=Membership.Role.MEMBER
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(default=_default_expiry)
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # One link at a time for an address; a new invitation withdraws the one before.
            models.UniqueConstraint(
                "tenant",
                Lower("email"),
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="one_open_invitation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} to {self.tenant} ({self.role})"

    @property
    def state(self) -> str:
        """open, accepted, withdrawn or expired."""
        if self.accepted_at:
            return "accepted"
        if self.withdrawn_at:
            return "withdrawn"
        return "open" if self.expires_at > timezone.now() else "expired"
