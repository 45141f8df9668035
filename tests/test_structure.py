"""Rules over the whole project: each holds for everything that is there, and for what is added."""

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from celery import current_app
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import resolve

from tenants.models import AuditHead, Membership, Tenant, User
from tenants.services import create_member
from tests.addresses import Address, For, addresses, patterns
from tests.client import PortalClient, without_scope
from tests.conftest import _hash
from tests.portal.two_tenants import Rows, World, world
from tests.tenants.both import tenant_column, tenant_models

__all__ = ["patterns", "world"]  # for other tests; and a fixture

TITLE = "Secret of Acme"
# What gateways set, and a browser could: it names Acme and its owner, and must change nothing.
FORGED = {
    "X-Tenant-Id": "acme",
    "X-Forwarded-User": "owner@acme.example",
    "X-Forwarded-Host": "acme.example",
    "X-Ms-Client-Principal": "eyJuYW1lIjogIm93bmVyQGFjbWUuZXhhbXBsZSJ9",
    "X-Ms-Client-Principal-Name": "owner@acme.example",
    "Remote-User": "owner@acme.example",
    "X-Original-Url": "/acme/",
}
GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
SENT_AWAY = {HTTPStatus.FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
REFUSED = GONE | SENT_AWAY | {HTTPStatus.FORBIDDEN}


def fields(rows: Rows) -> dict[str, object]:
    """What a form could hold that makes some view do something."""
    return {
        "message": "intruding", "request_id": uuid.uuid4(), "title": "intruded", "text": "intruded",
        "name": "intruded", "slug": "acme", "email": "intruder@example.org", "role": "owner",
        "emails": "intruder@example.org", "tenant": rows[Tenant].pk, "user": rows[User].pk,
        "reason": "A reason of some length", "is_superuser": "on", "is_active": "on",
        "action": "delete_selected", "_selected_action": rows[Tenant].pk, "post": "yes",
        "login": "owner@acme.example", "password": "a guess", "next": "/acme/",
    }  # fmt: skip


def ask(client: Client, method: str, address: Address, rows: Rows) -> tuple[int, str]:
    """The status and the text; what a stream reads in other threads is not asked for."""
    send: Callable[..., Any] = client.post if method == "POST" else client.get
    data = fields(rows) if method == "POST" else None
    response = send(address.path, data, headers=FORGED)
    if response.streaming and response.is_async:
        return response.status_code, ""
    with without_scope():
        content = b"".join(response) if response.streaming else response.content
    return response.status_code, content.decode(errors="replace")


def browser(user: User | None, *, checks_tokens: bool = False) -> Client:
    """A browser in which this person is signed in."""
    client = PortalClient(raise_request_exception=False, enforce_csrf_checks=checks_tokens)
    if user is not None:
        user.password = _hash()  # who has none cannot change it
        user.save(update_fields=["password"])
        client.force_login(user)
    return client


# ── Every address, and every kind of stranger ──────────────────────────────────────────────────
def test_every_address_says_whom_it_is_for(world: World) -> None:
    unsaid = [str(address) for address in addresses(world.acme) if address.audience is None]

    assert unsaid == [], "say in tests/addresses.py whom they are for"


Stranger = tuple[str, User | None]
STRANGERS = ["anonymous", "colleague", "manager", "nobody", "suspended", "deactivated", "inactive"]


@pytest.fixture(params=STRANGERS)
def stranger(request: pytest.FixtureRequest, world: World) -> Stranger:
    """Somebody who may not see a conversation of Acme, or may no longer."""
    owner, tenant = world.acme[User], world.acme[Tenant]
    make: dict[str, Callable[[], User | None]] = {
        "anonymous": lambda: None,
        "colleague": lambda: _member(tenant, "carol", "member"),
        "manager": lambda: _member(world.globex[Tenant], "oscar", "manager"),
        "nobody": lambda: User.objects.create_user("nora@example.org"),
    }
    if request.param == "suspended":
        Tenant.objects.filter(pk=tenant.pk).update(status=Tenant.Status.SUSPENDED)
    if request.param == "deactivated":
        Membership.objects.filter(user=owner).update(is_active=False)
    if request.param == "inactive":
        User.objects.filter(pk=owner.pk).update(is_active=False)
    return request.param, make.get(request.param, lambda: owner)()


def _member(tenant: Tenant, name: str, role: str) -> User:
    return create_member(tenant=tenant, email=f"{name}@example.org", role=role).user


def test_a_stranger_gets_nowhere_and_changes_nothing(stranger: Stranger, world: World) -> None:
    who, user = stranger
    client, before = browser(user), state_of(world, who)

    wrong = []
    for address in addresses(world.acme):
        answers = {method: ask(client, method, address, world.acme) for method in ("GET", "POST")}
        for method, (status, text) in answers.items():
            if status not in allowed(who, address) or shows_too_much(who, text):
                wrong.append(f"{method} {address}: {status}")
        if {status for status, _ in answers.values()} == {HTTPStatus.METHOD_NOT_ALLOWED}:
            wrong.append(f"{address} takes neither GET nor POST")

    assert wrong == []
    assert state_of(world, who) == before


def allowed(who: str, address: Address) -> set[HTTPStatus]:
    """The statuses with which this stranger may be answered there."""
    audience = address.audience
    anything = {status for status in HTTPStatus if status < HTTPStatus.INTERNAL_SERVER_ERROR}
    is_open = audience is For.ANYBODY
    if is_open or (audience is For.SIGNED_IN and who not in {"anonymous", "inactive"}):
        return anything
    if who in {"anonymous", "inactive"}:
        return SENT_AWAY
    if audience in {For.MEMBERS, For.ITS_MEMBER}:
        return anything if who == "colleague" and audience is For.MEMBERS else GONE
    runs_another = who == "manager" and audience is For.RUNNERS and not address.names_a_row
    return anything if runs_another else REFUSED


def shows_too_much(who: str, text: str) -> bool:
    """Whether there is something of Acme in it, or what only its owner may read."""
    belonged = {"colleague", "suspended", "deactivated", "inactive"}
    return (TITLE if who in belonged else "Acme") in text


def state_of(world: World, who: str) -> dict[str, object]:
    """All of Acme, with its owner; what a colleague may begin there is not looked at."""
    tenant, owner = world.acme[Tenant], world.acme[User]
    state: dict[str, object] = {"owner": User.objects.values().get(pk=owner.pk)}
    for model in tenant_models():
        rows = model._default_manager.filter(**{tenant_column(model._meta.db_table): tenant.pk})
        if who != "colleague":
            state[model._meta.label] = list(rows.order_by("pk").values())
        elif model in world.acme and model is not AuditHead:
            state[model._meta.label] = rows.values().get(pk=world.acme[model].pk)
    return state


# ── Every address, and those who may ───────────────────────────────────────────────────────────
@pytest.fixture(params=["member", "manager", "owner", "administrator"])
def insider(request: pytest.FixtureRequest, world: World) -> User:
    """Somebody who belongs to Acme."""
    if request.param == "owner":
        owner: User = world.acme[User]
        return owner
    user = _member(world.acme[Tenant], "bob", request.param.replace("administrator", "member"))
    user.is_superuser = user.is_staff = request.param == "administrator"
    user.save()
    return user


def test_no_request_fails_or_leaves_a_scope(insider: User, world: World) -> None:
    client, wrong = browser(insider), []
    for address in addresses(world.acme):
        for method in ("GET", "POST"):
            with transaction.atomic():
                try:
                    status, _ = ask(client, method, address, world.acme)
                except AssertionError as left:  # by the browser of the tests
                    wrong.append(f"{method} {address}: {left}")
                else:
                    wrong += [f"{method} {address}: {status}"] if status >= 500 else []
                transaction.set_rollback(True)

    assert wrong == []


def test_no_form_is_taken_without_its_token(world: World) -> None:
    owner = world.acme[User]
    User.objects.filter(pk=owner.pk).update(is_superuser=True, is_staff=True)
    client, before = browser(owner, checks_tokens=True), state_of(world, "anonymous")

    statuses = {
        str(address): ask(client, "POST", address, world.acme)[0]
        for address in addresses(world.acme)
    }

    assert {name: status for name, status in statuses.items() if status != 403} == {}
    assert state_of(world, "anonymous") == before


# ── A tenant's own addresses ───────────────────────────────────────────────────────────────────
@pytest.fixture
def of_a_tenant(world: World) -> list[Address]:
    """The addresses below a tenant's slug."""
    found = [one for one in addresses(world.acme) if one.template.startswith("<slug:tenant>/")]
    assert len(found) > 10
    return found


def test_every_address_of_a_tenant_has_the_member_guard(of_a_tenant: list[Address]) -> None:
    without = [
        str(address)
        for address in of_a_tenant
        if not getattr(resolve(address.path).func, "is_member_required", False)
    ]

    assert without == []


def test_whose_conversation_it_is_gets_everywhere(of_a_tenant: list[Address], world: World) -> None:
    client, refused = browser(world.acme[User]), []
    for address in of_a_tenant:
        with transaction.atomic():
            statuses = {ask(client, method, address, world.acme)[0] for method in ("GET", "POST")}
            transaction.set_rollback(True)
        refused += [str(address)] if statuses <= REFUSED - {HTTPStatus.FOUND} else []

    assert refused == []


def test_our_own_scripts_are_told_when_nobody_is_signed_in(
    of_a_tenant: list[Address], world: World
) -> None:
    client = PortalClient(headers={"X-Requested-With": "fetch"})

    statuses = {
        ask(client, method, address, world.acme)[0]
        for address in of_a_tenant
        for method in ("GET", "POST")
    }

    assert statuses == {HTTPStatus.UNAUTHORIZED, HTTPStatus.METHOD_NOT_ALLOWED}


def test_every_task_of_ours_names_its_queue() -> None:
    ours = {name for name in current_app.tasks if name.split(".")[0] in {"chat", "tenants"}}

    assert ours
    assert ours == set(settings.CELERY_TASK_ROUTES)
