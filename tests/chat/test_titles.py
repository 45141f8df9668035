"""When a title is made, and what of it is taken."""

import uuid

import pytest
from django.utils import timezone

from chat.generation import titles
from chat.models import Conversation, Deployment, DeploymentGrant, Generation, Pause
from tenants.models import Membership, Tenant
from tests.chat.test_sending import finish_first
from tests.chat.titling import title_of, titling
from tests.upstream import Upstream

__all__ = ["titling"]  # a fixture


@pytest.fixture
def answered(conversation: Conversation, titling: Deployment) -> Conversation:
    """bob's conversation, whose first answer is complete."""
    finish_first(conversation)
    return conversation


@pytest.mark.django_db(transaction=True)
def test_a_title_is_made_once(answered: Conversation, upstream: Upstream) -> None:
    upstream.says("Morning")

    assert titles.generate_title(answered.pk)
    assert titles.generate_title(answered.pk)

    assert title_of(answered.pk) == ("Morning", "model")
    assert len(upstream.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_asked_where_no_title_is_to_be_made(
    answered: Conversation, deployment: Deployment, upstream: Upstream
) -> None:
    titles.generate_title(uuid.uuid4())
    Pause.objects.create(deployment=deployment, reason="unavailable", until=timezone.now())
    titles.generate_title(answered.pk)
    Pause.objects.all().delete()
    DeploymentGrant.objects.update(is_default=False)
    titles.generate_title(answered.pk)
    DeploymentGrant.objects.update(is_default=True)
    Membership.objects.update(is_active=False)
    titles.generate_title(answered.pk)
    Membership.objects.update(is_active=True)
    Tenant.objects.update(generates_titles=False)
    titles.generate_title(answered.pk)

    assert upstream.requests == []
    assert title_of(answered.pk) == ("Good morning", "words")


def test_a_title_is_due_after_the_first_completed_answer_only(answered: Conversation) -> None:
    generation = Generation.objects.select_related("conversation", "tenant").get()

    assert titles.is_due(generation, "completed")
    assert not titles.is_due(generation, "stopped")
    earlier = Generation.objects.create(
        tenant=generation.tenant, conversation=answered, user=generation.user,
        deployment=generation.deployment, prompt=generation.prompt, request_id=uuid.uuid4(),
        status=Generation.Status.COMPLETED,
    )  # fmt: skip
    assert not titles.is_due(generation, "completed")
    earlier.delete()
    generation.conversation.title_by = "person"
    assert not titles.is_due(generation, "completed")


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("", ""),
        ('  "" \n', ""),
        ("\n**Landing zones**\nMore", "Landing zones"),
        ("“Grüße”", "Grüße"),
        ("Tab\there\x00and\u202ethere", "Tab here and there"),
        ("x" * 80, "x" * 59 + "…"),
        ("word " * 20, ("word " * 11).strip() + "…"),
    ],
)
def test_a_title_is_one_short_line_of_text(said: str, title: str) -> None:
    assert titles._clean(said) == title
