"""What the tables hold first: the catalogue, a tenant, a platform administrator."""

from django.conf import settings
from django.core.exceptions import ValidationError

from chat.models import Deployment
from chat.services import InvalidCatalogue, grant, sync_catalogue
from portal.bootstrap.plan import BootstrapError, FirstTenant, Plan, catalogue_entry
from tenants.errors import TenantError
from tenants.models import Membership, Tenant, User
from tenants.services import create_member, create_tenant, record


def add_models(plan: Plan) -> str:
    """Models that the catalogue does not have yet; those that it has stay as they are."""
    entries = [catalogue_entry(model) for model in plan.deployments]
    known = set(Deployment.objects.values_list("name", flat=True))
    new = [entry for entry in entries if entry["name"] not in known]
    try:
        sync_catalogue(new)
    except InvalidCatalogue as error:
        raise BootstrapError("\n  ".join(["The models are not right:", *error.problems])) from None
    names = ", ".join(entry["name"] for entry in new)
    return f"Models: {len(known & {entry['name'] for entry in entries})} known" + (
        f", added {names}" if new else ""
    )


def add_people(plan: Plan) -> str:
    """The first tenant and the platform administrator, who owns it; both or none."""
    tenant, is_new = _find_or_make(plan)
    told = [_tell_tenant(plan, tenant, is_new=is_new)]
    told.append(_add_administrator(plan.administrator, tenant, is_new=is_new))
    return "\n".join(told)


def _find_or_make(plan: Plan) -> tuple[Tenant | None, bool]:
    """The first tenant, and whether it was made now; one that exists stays as it is."""
    if plan.tenant is None:
        return None, False
    known = Tenant.objects.filter(slug=plan.tenant.slug).first()
    return (known, False) if known else (_make_tenant(plan, plan.tenant), True)


def _make_tenant(plan: Plan, first: FirstTenant) -> Tenant:
    """The first tenant, which may use all models of the plan."""
    try:
        tenant = create_tenant(slug=first.slug, name=first.name)
    except (TenantError, ValidationError) as error:
        raise BootstrapError(f"First tenant: {'; '.join(_texts(error))}") from None
    names = [catalogue_entry(model)["name"] for model in plan.deployments]
    models = Deployment.objects.in_bulk(names, field_name="name")
    for name in names:
        grant(deployment=models[name], tenant=tenant)
    return tenant


def _tell_tenant(plan: Plan, tenant: Tenant | None, *, is_new: bool) -> str:
    if tenant is None:
        return "First tenant: none asked for"
    if not is_new:
        return f"First tenant: “{tenant.slug}” is there"
    models = f"{len(plan.deployments)} models"
    return f"First tenant: made “{tenant.name}” at /{tenant.slug}/, with {models}"


def _add_administrator(email: str, tenant: Tenant | None, *, is_new: bool) -> str:
    """A platform administrator, who owns the tenant where they are new or it is.

    Without a password: they choose one by the mail of “Forgot your password?”.
    """
    if not email:
        return "Administrator: none asked for"
    known = User.objects.filter(email=email).first()
    if known is not None and not known.is_superuser:
        return (
            f"Administrator: {email} is there, and is none; `createsuperuser` takes another address"
        )
    if known is None:
        _create_administrator(email)
    owned = tenant if is_new or known is None else None
    if owned:
        create_member(tenant=owned, email=email, role=Membership.Role.OWNER)
    if known is not None:
        return f"Administrator: {email} is there" + (f", and owns /{owned.slug}/" if owned else "")
    page = f"{settings.PUBLIC_URL}/accounts/password/reset/"
    return f"Administrator: made {email}, who chooses a password at {page}"


def _create_administrator(email: str) -> None:
    try:
        user = User.objects.create_superuser(email, None)
    except ValidationError as error:
        raise BootstrapError(f"Administrator: {'; '.join(_texts(error))}") from None
    record("person.created", subject=user, administrator=True)


def _texts(error: Exception) -> list[str]:
    return error.messages if isinstance(error, ValidationError) else [str(error)]
