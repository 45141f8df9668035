"""Who may: people, the organisations they belong to, and the log of what was done."""

import uuid
from typing import Any, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower

from tenants.ledger import AppendOnlyQuerySet
from tenants.validators import validate_colour, validate_slug_is_free


class UserManager(BaseUserManager["User"]):
    """Creates people. Administrators come from a command only (`createsuperuser`)."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A person who signs in with this e-mail; without a password they cannot sign in yet."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A platform administrator."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """The person with this e-mail, in any letter case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can sign in, with their e-mail as the login.

    Belongs to no tenant by itself: memberships say where they may chat. Deactivated rather than
    deleted once there is usage in their name.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True, help_text="Whether this person may sign in.")
    is_staff = models.BooleanField(
        default=False, help_text="Whether this person may enter the admin."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        ordering = ["email"]
        constraints = [
            # One person per address, however it is typed.
            models.UniqueConstraint(Lower("email"), name="user_email_any_case"),
        ]

    def __str__(self) -> str:
        return self.email

    def get_full_name(self) -> str:
        """The person's name, or their e-mail where none was given."""
        return self.name or self.email


class Tenant(models.Model):
    """An organisation whose staff chat here, apart from all others.

    Created by a platform administrator; suspended rather than deleted while anything of it is kept.
    """

    class Status(models.TextChoices):
        """Whether its members may work."""

        ACTIVE = "active"
        SUSPENDED = "suspended"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(
        max_length=50,
        unique=True,
        validators=[validate_slug_is_free],
        help_text="First part of the tenant's addresses.",
    )
    name = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    notice = models.TextField(blank=True, help_text="Shown to members: what may be entered here.")
    accent_colour = models.CharField(max_length=7, default="#2f5d8a", validators=[validate_colour])
    max_running = models.PositiveIntegerField(
        default=20,
        validators=[MinValueValidator(1)],
        help_text="How many answers may be written at once; further ones wait in the queue.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


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


class Membership(models.Model):
    """That a person belongs to a tenant, and what they may do there.

    The one argument that says who acts: it carries user, tenant and role. Deactivated, never
    deleted, while the person's conversations are kept.
    """

    class Role(models.TextChoices):
        """What the person may do in the tenant."""

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


class AuditEvent(models.Model):
    """That somebody did something worth answering for. Append-only: kept as it was written."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.PROTECT, related_name="audit_events"
    )
    actor = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="audit_events"
    )
    action = models.CharField(max_length=60, help_text="object.past-participle")
    subject = models.CharField(
        max_length=100, blank=True, help_text="model:id of what it was done to"
    )
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict, blank=True)

    objects = AppendOnlyQuerySet["AuditEvent"].as_manager()

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            # The log of one tenant, newest first.
            models.Index(fields=["tenant", "-created_at"], name="audit_by_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
