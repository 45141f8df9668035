"""Two tenants with a row in every table that belongs to a tenant, committed, for tests that cross."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

from django.apps import apps
from django.db import models
from django.utils import timezone

from chat.models import (
    Conversation,
    Deployment,
    DeploymentGrant,
    Generation,
    Investigation,
    LibraryPrompt,
    Message,
    UsageEntry,
)
from tenants.models import Invitation, Tenant, TenantLogo, User
from tenants.services import create_member, create_tenant


@dataclass(frozen=True)
class Both:
    """The two tenants."""

    acme: Tenant
    globex: Tenant


def found_both() -> Both:
    """Acme and Globex, each with one row of everything."""
    deployment = Deployment.objects.create(
        name="small", label="Small", kind="openai", model="small-1", context_window=8192
    )
    return Both(_found("acme", "Acme", deployment), _found("globex", "Globex", deployment))


def tenant_models() -> list[type[models.Model]]:
    """Tenant, and every model with a way of foreign keys to it."""
    found: set[type[models.Model]] = {Tenant}
    every = apps.get_models(include_auto_created=True)
    while more := {model for model in every if _targets(model) & found} - found:
        found |= more
    return sorted(found, key=lambda model: model._meta.db_table)


def tenant_tables() -> list[str]:
    """Their tables."""
    return [model._meta.db_table for model in tenant_models()]


def tenant_column(table: str) -> str:
    """The column that says which tenant a row belongs to."""
    return "id" if table == Tenant._meta.db_table else "tenant_id"


def _targets(model: type[models.Model]) -> set[object]:
    fields = model._meta.concrete_fields
    return {field.related_model for field in fields if isinstance(field, models.ForeignKey)}


def _found(slug: str, name: str, deployment: Deployment) -> Tenant:
    tenant = create_tenant(slug=slug, name=name)  # with an audit event, and the head of its chain
    owner = create_member(tenant=tenant, email=f"owner@{slug}.example", role="owner").user
    TenantLogo.objects.create(tenant=tenant, content=b"a picture", digest=slug)
    Invitation.objects.create(
        tenant=tenant, email=f"guest@{slug}.example", token_hash=slug, invited_by=owner
    )
    DeploymentGrant.objects.create(tenant=tenant, deployment=deployment, is_default=True)
    LibraryPrompt.objects.create(tenant=tenant, title=f"Letter of {name}", text="Write a letter.")
    _chat(tenant, owner, deployment)
    return tenant


def _chat(tenant: Tenant, owner: User, deployment: Deployment) -> None:
    conversation = Conversation.objects.create(
        tenant=tenant, owner=owner, title=f"Secret of {tenant.name}", deployment=deployment,
        request_id=uuid.uuid4(), active_at=timezone.now(),
    )  # fmt: skip
    prompt = Message.objects.create(
        tenant=tenant, conversation=conversation, role="user", content=f"Words of {tenant.name}"
    )
    reply = Message.objects.create(
        tenant=tenant, conversation=conversation, parent=prompt, role="assistant", content="Yes."
    )
    Conversation.objects.filter(pk=conversation.pk).update(head=reply)
    generation = Generation.objects.create(
        tenant=tenant, conversation=conversation, user=owner, deployment=deployment, prompt=prompt,
        reply=reply, request_id=uuid.uuid4(), status="completed",
    )  # fmt: skip
    UsageEntry.objects.create(
        tenant=tenant, user=owner, deployment=deployment, generation_id=generation.pk,
        input_tokens=1, output_tokens=1, input_price=1, output_price=1, cost=Decimal("0.1"),
    )  # fmt: skip
    Investigation.objects.create(
        tenant=tenant, conversation=conversation, subject_id=conversation.pk, member=owner,
        opened_by=owner, reason="A reason of some length", notify_at=timezone.now(),
    )  # fmt: skip
