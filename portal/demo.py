"""The demo: two tenants with people and a model, so that the portal can be looked at at once."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chat.models import Deployment
from chat.services import grant, sync_catalogue
from tenants.errors import UnknownTenant
from tenants.models import Membership, Tenant, User
from tenants.services import create_member, create_tenant, get_tenant

ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Person:
    """Somebody of the cast, in these tenants (by slug) with this role."""

    email: str
    name: str
    role: str
    tenants: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModelOffer:
    """The model that the demo's deployment calls."""

    kind: str
    model: str
    label: str
    purpose: str
    context_window: int


# The tiny model of `make run` finds no titles; a manager may switch them on.
TENANTS: dict[str, dict[str, Any]] = {
    "northwind": {
        "name": "Northwind",
        "notice": "Internal and public information only. No customer data, please.",
        "accent_colour": "#22666b",
        "generates_titles": False,
    },
    "harbour": {
        "name": "Harbour",
        "notice": "Do not enter personal data. Check every answer before you use it.",
        "accent_colour": "#8a4b2f",
        "generates_titles": False,
    },
}
PEOPLE = (
    Person("olivia@northwind.example", "Olivia Berg", "owner", ("northwind",)),
    Person("grace@northwind.example", "Grace Lund", "manager", ("northwind",)),
    Person("noah@northwind.example", "Noah Lindqvist", "member", ("northwind",)),
    Person("mia@northwind.example", "Mia Okafor", "member", ("northwind",)),
    Person("henry@harbour.example", "Henry Castell", "owner", ("harbour",)),
    Person("victor@harbour.example", "Victor Haas", "manager", ("harbour",)),
    Person("lena@harbour.example", "Lena Marchetti", "member", ("harbour",)),
    Person("tom@harbour.example", "Tom Adeyemi", "member", ("harbour",)),
    Person("robin@partner.example", "Robin Vale", "member", ("northwind", "harbour")),
    Person("admin@atrium.example", "Ada Marsh", ADMINISTRATOR),
)

_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aeiou"


def new_password() -> str:
    """Three groups that can be read out, from 57 random bits: rulome-bakidu-tesova."""
    return "-".join("".join(_syllable() for _ in range(3)) for _ in range(3))


def _syllable() -> str:
    return secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS)


def create(offer: ModelOffer, *, passwords: Mapping[str, str], reset: Sequence[str]) -> None:
    """Make what is missing of the demo, in the caller's transaction; safe to repeat.

    `passwords` has one for each e-mail. An account that exists keeps its own, unless its e-mail is
    in `reset`.
    """
    for slug, fields in TENANTS.items():
        _tenant(slug, fields)
    for person in PEOPLE:
        _person(person, passwords[person.email], is_reset=person.email in reset)
    _deployment(offer)


def _tenant(slug: str, fields: dict[str, Any]) -> Tenant:
    try:
        return get_tenant(slug)
    except UnknownTenant:
        return create_tenant(slug=slug, **fields)


def _person(person: Person, password: str, *, is_reset: bool) -> None:
    user = User.objects.filter(email=person.email).first()
    if user is None:
        make = User.objects.create_user
        if person.role == ADMINISTRATOR:
            make = User.objects.create_superuser
        user = make(person.email, password, name=person.name)
    elif is_reset:
        user.set_password(password)
        user.save(update_fields=["password"])
    for slug in person.tenants:
        tenant = get_tenant(slug)
        if not Membership.objects.filter(user=user, tenant=tenant).exists():
            create_member(tenant=tenant, email=person.email, role=person.role)


def _deployment(offer: ModelOffer) -> None:
    entry = {
        "name": "demo",
        "label": offer.label,
        "purpose": offer.purpose,
        "kind": offer.kind,
        "model": offer.model,
        "context_window": offer.context_window,
    }
    sync_catalogue([entry])
    deployment = Deployment.objects.get(name="demo")
    for slug in TENANTS:
        grant(deployment=deployment, tenant=get_tenant(slug))
