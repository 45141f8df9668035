"""What tests of titles share."""

import uuid

import pytest

from chat.models import Conversation, Deployment, UsageEntry
from tenants.models import Tenant


@pytest.fixture
def titling(deployment: Deployment) -> Deployment:
    """The default model, in a tenant that wants titles."""
    Tenant.objects.update(generates_titles=True)
    return deployment


def title_of(conversation_id: uuid.UUID) -> tuple[str, str]:
    """The title, and who gave it."""
    return Conversation.objects.values_list("title", "title_by").get(pk=conversation_id)


def title_bills(conversation_id: uuid.UUID) -> list[tuple[int, int, bool]]:
    """What the title was billed with."""
    entries = UsageEntry.objects.filter(purpose="title", generation_id=conversation_id)
    return list(entries.values_list("input_tokens", "output_tokens", "is_estimate"))
