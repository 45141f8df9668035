"""What a deployment needs once before it can be used: roles, tables, catalogue, first people.

Each step looks at what is there and adds what is missing, so all of it can be run at every release.
Nothing that an administrator has changed since is changed back.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.management import call_command
from django.db import connections

from chat.models import Deployment
from chat.services import InvalidCatalogue, grant, sync_catalogue
from portal import databases
from portal.databases import Connection, NoConnectionError
from portal.owner import as_owner
from portal.roles import RolesError, create_roles
from tenants.errors import TenantError
from tenants.models import Membership, Tenant, User
from tenants.scope import platform_scope
from tenants.services import create_member, create_tenant, record

# Held by whoever bootstraps, in the database `postgres`: one at a time.
_LOCK = 6_282_043
_NO_OWNER = "Set DATABASE_ADMIN_URL and DATABASE_OWNER_URL"
_UNSLUG = re.compile(r"[^a-z0-9]+")

Say = Callable[[str], None]


class BootstrapError(Exception):
    """It cannot be done. The text is for operators, and holds no secret."""


class FirstTenant(NamedTuple):
    """The organisation that a new deployment begins with."""

    slug: str
    name: str


@dataclass(frozen=True)
class Plan:
    """What is to be there afterwards.

    `application_object_id` is set where the application's database role is an identity of Entra.
    `deployments` are models as the template's output `deployments` lists them.
    """

    application_object_id: str = ""
    deployments: list[Mapping[str, Any]] = field(default_factory=list)
    tenant: FirstTenant | None = None
    administrator: str = ""


# ── Reading ────────────────────────────────────────────────────────────────────────────────────
def read_plan(text: str) -> Plan:
    """The plan in the setting BOOTSTRAP. Raises BootstrapError."""
    try:
        raw = json.loads(text or "{}")
    except ValueError:
        raise BootstrapError("BOOTSTRAP is not valid JSON") from None
    if not isinstance(raw, dict):
        raise BootstrapError("BOOTSTRAP must be a JSON object")
    return Plan(
        application_object_id=str(raw.get("application_object_id") or ""),
        deployments=read_deployments(raw.get("deployments") or []),
        tenant=read_tenant(str(raw.get("first_tenant") or "")),
        administrator=str(raw.get("administrator") or "").strip().lower(),
    )


def read_deployments(raw: object) -> list[Mapping[str, Any]]:
    """The models of the template's output: a list, or the outputs that have it inside."""
    if isinstance(raw, Mapping):
        raw = raw.get("deployments", [])
    if isinstance(raw, Mapping):  # as Azure prints an output
        raw = raw.get("value", [])
    if not isinstance(raw, list) or not all(isinstance(entry, Mapping) for entry in raw):
        raise BootstrapError("The deployments must be a list of objects")
    return raw


def read_tenant(text: str) -> FirstTenant | None:
    """A tenant written as `slug=Name`; None where the text is empty."""
    slug, _, name = (part.strip() for part in text.partition("="))
    if text and not (slug and name):
        raise BootstrapError(f"The first tenant is written slug=Name, not “{text}”")
    return FirstTenant(slug, name) if text else None


def catalogue_entry(model: Mapping[str, Any]) -> dict[str, Any]:
    """A model of the template as an entry of the catalogue (docs/operations.md)."""
    name = str(model.get("name") or "")
    return {
        "name": _UNSLUG.sub("-", name.lower()).strip("-"),
        "label": str(model.get("label") or name),
        "kind": "azure",
        "model": name,
        "context_window": model.get("contextWindow", 0),
        "input_price": model.get("inputPrice", 0),
        "output_price": model.get("outputPrice", 0),
    }


# ── Roles ──────────────────────────────────────────────────────────────────────────────────────
@contextmanager
def administrator() -> Iterator[Connection]:
    """The administrator's connection; nobody else bootstraps meanwhile. Raises BootstrapError."""
    url = settings.DATABASE_ADMIN_SECRET_URL
    if not url or settings.DATABASE_OWNER is None:
        raise BootstrapError(_NO_OWNER)
    try:
        address = databases.read_address("DATABASE_ADMIN_URL", url)
        with databases.connect(address, default_database="postgres") as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
            yield connection
    except (ImproperlyConfigured, NoConnectionError) as error:
        raise BootstrapError(f"DATABASE_ADMIN_URL: {error}") from error


def make_roles(connection: Connection, plan: Plan) -> str:
    """The two roles and the database, as portal/roles.py says."""
    database, owner = settings.DATABASES["default"], settings.DATABASE_OWNER
    if owner is None:
        raise BootstrapError(_NO_OWNER)
    try:
        if plan.application_object_id:
            _make_principal(connection, database["USER"], plan.application_object_id)
        create_roles(
            connection,
            database=database["NAME"],
            owner=owner.user,
            owner_password=owner.password or None,
            application=database["USER"],
            # An identity has no password, and its role is not ours to change.
            application_password=(not plan.application_object_id and database["PASSWORD"]) or None,
        )
    except RolesError as error:
        raise BootstrapError(str(error)) from error
    except psycopg.Error as error:
        reason = error.diag.message_primary or type(error).__name__
        raise BootstrapError(f"The database refuses: {reason}") from error
    return (
        f"Database {database['NAME']}: owner {owner.user}, {database['USER']} for the application"
    )


def _make_principal(connection: Connection, name: str, object_id: str) -> None:
    """A role for an identity of Entra, where there is none.

    https://learn.microsoft.com/azure/postgresql/flexible-server/security-manage-entra-users: the
    function is in the database `postgres`.
    """
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    if known is None:
        connection.execute(
            "SELECT pgaadauth_create_principal_with_oid(%s, %s, 'service', false, false)",
            [name, object_id],
        )


# ── What the tables hold ───────────────────────────────────────────────────────────────────────
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


def add_tenant(plan: Plan) -> str:
    """The first tenant, which may use all models of the plan; one that exists stays as it is."""
    if plan.tenant is None:
        return "First tenant: none asked for"
    if Tenant.objects.filter(slug=plan.tenant.slug).exists():
        return f"First tenant: “{plan.tenant.slug}” is there"
    try:
        tenant = create_tenant(slug=plan.tenant.slug, name=plan.tenant.name)
    except (TenantError, ValidationError) as error:
        raise BootstrapError(f"First tenant: {'; '.join(_texts(error))}") from None
    names = [catalogue_entry(model)["name"] for model in plan.deployments]
    models = Deployment.objects.in_bulk(names, field_name="name")
    for name in names:
        grant(deployment=models[name], tenant=tenant)
    return f"First tenant: made “{tenant.name}” at /{tenant.slug}/, with {len(names)} models"


def add_administrator(plan: Plan) -> str:
    """A platform administrator, who owns the first tenant too.

    Without a password: they choose one by the mail of “Forgot your password?”.
    """
    email = plan.administrator
    if not email:
        return "Administrator: none asked for"
    known = User.objects.filter(email=email).first()
    if known is not None:
        return f"Administrator: {email} is there" + (
            "" if known.is_superuser else ", and is none; `createsuperuser` takes another address"
        )
    _create_administrator(email)
    tenant = plan.tenant and Tenant.objects.filter(slug=plan.tenant.slug).first()
    if tenant:
        create_member(tenant=tenant, email=email, role=Membership.Role.OWNER)
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


# ── All of it ──────────────────────────────────────────────────────────────────────────────────
def run(plan: Plan, *, say: Say) -> None:
    """Do everything that is missing, telling of each step. Raises BootstrapError or CommandError.

    Waits for whoever does the same at the moment.
    """
    with administrator() as connection:
        say(make_roles(connection, plan))
        call_command("migrate", interactive=False, verbosity=0)
        say("Tables: up to date")
        # As the owner: this process may have no identity that is the application's role.
        with as_owner(connections["default"]):
            for step in (add_models, add_tenant, add_administrator):
                with platform_scope("manage.py bootstrap"):
                    done = step(plan)
                say(done)
