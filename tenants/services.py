"""What administrators and commands do with tenants and people."""

from django.db import models, transaction

from tenants.errors import AlreadyExists, UnknownTenant
from tenants.logcontext import client_address, log_context
from tenants.models import AuditEvent, Membership, Tenant, User


def record(
    action: str,
    *,
    subject: models.Model,
    actor: User | None = None,
    tenant: Tenant | None = None,
    **detail: object,
) -> AuditEvent:
    """Write an audit event; `action` is `object.past-participle`, `detail` has no message text."""
    return AuditEvent.objects.create(
        action=action,
        subject=f"{subject._meta.label_lower}:{subject.pk}",
        actor=actor,
        tenant=tenant,
        request_id=log_context.get().get("request", ""),
        client_address=client_address.get(),
        detail=detail,
    )


@transaction.atomic
def create_tenant(*, slug: str, name: str, actor: User | None = None, **fields: object) -> Tenant:
    """A new active tenant. Raises AlreadyExists, or ValidationError for a bad slug or field."""
    if Tenant.objects.filter(slug=slug).exists():
        raise AlreadyExists(f"There is already a tenant “{slug}”.")
    tenant = Tenant(slug=slug, name=name, **fields)
    tenant.full_clean()
    tenant.save()
    record("tenant.created", subject=tenant, actor=actor, tenant=tenant)
    return tenant


def get_tenant(slug: str) -> Tenant:
    """The tenant with this slug, or UnknownTenant."""
    try:
        return Tenant.objects.get(slug=slug)
    except Tenant.DoesNotExist:
        raise UnknownTenant(f"There is no tenant “{slug}”.") from None


@transaction.atomic
def create_member(
    *, tenant: Tenant, email: str, role: str, name: str = "", password: str | None = None
) -> Membership:
    """Make the person with this e-mail a member, creating their account where they have none.

    An account that exists keeps its name and password. Raises AlreadyExists when they belong to the
    tenant already, and ValidationError for a bad e-mail or role.
    """
    user = User.objects.filter(email=email.lower()).first()
    if user is None:
        user = User.objects.create_user(email, password, name=name)
    if Membership.objects.filter(user=user, tenant=tenant).exists():
        raise AlreadyExists(f"{email} belongs to “{tenant.slug}” already.")
    membership = Membership(user=user, tenant=tenant, role=role)
    membership.full_clean()
    membership.save()
    record("membership.created", subject=membership, tenant=tenant, role=role)
    return membership
