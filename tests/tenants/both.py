"""Two tenants with a row in every table of tenants, for tests that try to cross."""

from dataclasses import dataclass

from django.apps import apps
from django.db import models

from chat.models import Conversation, Generation
from tenants.models import Tenant
from tests.portal.two_tenants import fill


@dataclass(frozen=True)
class Both:
    """The two tenants."""

    acme: Tenant
    globex: Tenant


def found_both() -> Both:
    """Acme and Globex, each with one row of everything."""
    return Both(_found("acme", "Acme"), _found("globex", "Globex"))


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


def _found(slug: str, name: str) -> Tenant:
    """With a row of everything, and an answer in its conversation."""
    rows = fill(slug, name)
    generation: Generation = rows[Generation]
    conversation = generation.conversation
    reply = conversation.messages.create(
        tenant=conversation.tenant, parent=generation.prompt, role="assistant", content="Yes."
    )
    Conversation.objects.filter(pk=conversation.pk).update(head=reply)
    Generation.objects.filter(pk=generation.pk).update(status="completed", reply=reply)
    tenant: Tenant = rows[Tenant]
    return tenant
