"""Acme and Globex with a row of everything that the admin shows, and people who run only Acme."""

import uuid
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoDbBlocker

from chat.models import (
    Conversation,
    Deployment,
    DeploymentGrant,
    Generation,
    Investigation,
    LibraryPrompt,
    UsageEntry,
)
from tenants import logos
from tenants.models import AuditEvent, Invitation, Membership, Tenant, User
from tenants.services import create_member, create_tenant
from tests.client import PortalClient

Rows = dict[type[Model], Any]
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


@dataclass(frozen=True)
class World:
    """A row of every kind in Acme, and in Globex, which no page may show to the people of Acme."""

    acme: Rows
    globex: Rows

    # Each is somewhere in Globex's rows, and nowhere else.
    MARKS = ("Globex", "globex")


def fill(slug: str, name: str) -> Rows:
    """A tenant with a row of everything; the name is in every text."""
    tenant = create_tenant(slug=slug, name=name)
    tenant.default_system_prompt = f"You work for {name}."
    tenant.save()
    owner = create_member(
        tenant=tenant, email=f"owner@{slug}.example", role="owner", name=f"Owner of {name}"
    )
    deployment = Deployment.objects.create(
        name=f"{slug}-model", label=f"{name} model", kind="azure", model=f"{slug}-1",
        context_window=8192,
    )  # fmt: skip
    grant = DeploymentGrant.objects.create(tenant=tenant, deployment=deployment)
    logos.keep(tenant, logos.remade(_picture()))
    return {
        Tenant: tenant,
        Membership: owner,
        User: owner.user,
        Deployment: deployment,
        DeploymentGrant: grant,
        **_records(tenant, owner.user),
        **_chat(tenant, owner.user, deployment),
    }


def _picture() -> BytesIO:
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    file.seek(0)
    return file


def _records(tenant: Tenant, owner: User) -> Rows:
    return {
        Invitation: Invitation.objects.create(
            tenant=tenant, email=f"guest@{tenant.slug}.example", token_hash=uuid.uuid4().hex
        ),
        AuditEvent: AuditEvent.objects.create(
            tenant=tenant, actor=owner, action="thing.done", detail={"to": tenant.name}
        ),
        LibraryPrompt: LibraryPrompt.objects.create(
            tenant=tenant, title=f"Letter of {tenant.name}", text=f"Write for {tenant.name}."
        ),
    }


def _chat(tenant: Tenant, owner: User, deployment: Deployment) -> Rows:
    conversation = Conversation.objects.create(
        tenant=tenant, owner=owner, title=f"Secret of {tenant.name}", deployment=deployment,
        request_id=uuid.uuid4(), active_at=timezone.now(),
    )  # fmt: skip
    prompt = conversation.messages.create(tenant=tenant, role="user", content=tenant.name)
    generation = Generation.objects.create(
        tenant=tenant, user=owner, conversation=conversation, prompt=prompt, deployment=deployment,
        request_id=uuid.uuid4(), status="failed", error_code="timeout",
    )  # fmt: skip
    entry = UsageEntry.objects.create(
        tenant=tenant, user=owner, deployment=deployment, generation_id=generation.pk,
        input_tokens=1, output_tokens=1, input_price=1, output_price=1, cost=Decimal(1),
    )  # fmt: skip
    investigation = Investigation.objects.create(
        tenant=tenant, conversation=conversation, subject_id=conversation.pk, member=owner,
        opened_by=owner, reason=f"About {tenant.name}", notify_at=timezone.now(),
    )  # fmt: skip
    return {
        Conversation: conversation,
        Generation: generation,
        UsageEntry: entry,
        Investigation: investigation,
    }


@pytest.fixture(scope="module")
def standing_world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Both tenants, made once for a file, in a transaction around those of its tests."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World(fill("acme", "Acme"), fill("globex", "Globex"))
        transaction.set_rollback(True)


@pytest.fixture
def world(standing_world: World, db: None) -> World:
    """Both tenants, to do with as a test likes."""
    return deepcopy(standing_world)


@pytest.fixture(params=["manager", "owner of two"])
def as_stranger(request: pytest.FixtureRequest, world: World) -> Client:
    """A browser of somebody who runs Acme (and owns Initech, too); Globex is nothing to them."""
    role = request.param.split()[0]
    person = create_member(tenant=world.acme[Tenant], email="sam@example.org", role=role).user
    if request.param == "owner of two":
        initech = create_tenant(slug="initech", name="Initech")
        create_member(tenant=initech, email="sam@example.org", role="owner")
    client = PortalClient()
    client.force_login(person)
    return client


def list_of(model: type[Model]) -> str:
    """The address of the model's list in the admin."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(obj: Any, page: str = "change") -> str:
    """The address of this row's page in the admin."""
    meta = obj._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}", args=[obj.pk])


def state_of(rows: Rows) -> dict[str, list[dict[str, Any]]]:
    """Every value of these rows, to compare; none for one that is gone."""
    found = {}
    for model, row in rows.items():
        found[model._meta.label] = list(model._default_manager.filter(pk=row.pk).values())
    tenant = rows[Tenant]
    found["counts"] = [{model._meta.label: _count(model, tenant)} for model in rows]
    return found


def _count(model: type[Model], tenant: Tenant) -> int:
    names = {field.name for field in model._meta.fields}
    return model._default_manager.filter(tenant=tenant).count() if "tenant" in names else 0


def text_of(response: Any) -> str:
    """What the browser gets."""
    content = b"".join(response) if response.streaming else response.content
    return str(content.decode(errors="replace"))


def names_globex(response: Any) -> bool:
    """Whether anything of Globex is in it."""
    return any(mark in text_of(response) for mark in World.MARKS)
