"""The admin of catalogue, activity and ledger: nothing that a person wrote is on any page."""

from datetime import timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chat.models import (
    Conversation,
    Deployment,
    DeploymentGrant,
    Generation,
    UsageEntry,
)
from tenants.models import AuditEvent, Membership, Tenant, User
from tests.admin import ENTRANCE_STATEMENTS, administrator, as_admin, change
from tests.tenants.cast import browser_of, manager

__all__ = ["administrator", "as_admin", "manager"]  # fixtures

MODELS = ("deployment", "conversation", "generation", "usageentry")
SECRETS = ("Quarterly layoffs", "a pirate's voice", "draft of the answer", "Good morning")


def list_of(model: str) -> str:
    return reverse(f"admin:chat_{model}_changelist")


def page_of(obj: Any, page: str = "change") -> str:
    return reverse(f"admin:chat_{obj._meta.model_name}_{page}", args=[obj.pk])


@pytest.fixture
def generation(conversation: Conversation) -> Generation:
    """The answer to bob's first message: half a second in the queue, two seconds of work."""
    queued_at = timezone.now()
    Conversation.objects.update(title=SECRETS[0], system_prompt=SECRETS[1])
    Generation.objects.update(
        status=Generation.Status.COMPLETED,
        partial_text=SECRETS[2],
        queued_at=queued_at,
        started_at=queued_at + timedelta(seconds=0.5),
        first_token_at=queued_at + timedelta(seconds=0.75),
        ended_at=queued_at + timedelta(seconds=2.5),
    )
    return Generation.objects.get()


@pytest.fixture
def entry(generation: Generation) -> UsageEntry:
    """What that answer cost."""
    return UsageEntry.objects.create(
        tenant=generation.tenant,
        user=generation.user,
        deployment=generation.deployment,
        generation_id=generation.pk,
        input_tokens=12,
        output_tokens=34,
        input_price=Decimal("0.5"),
        output_price=Decimal(2),
        cost=Decimal("0.000074"),
    )


def test_no_page_shows_what_a_person_or_a_model_wrote(
    as_admin: Client, generation: Generation, entry: UsageEntry
) -> None:
    conversation = generation.conversation
    autocomplete = {"app_label": "chat", "model_name": "generation", "field_name": "conversation"}
    pages = [
        *((list_of(model), {}) for model in MODELS),
        *((list_of(model), {"q": "bob@example.org"}) for model in MODELS),
        *((page_of(obj), {}) for obj in (conversation, generation, entry, generation.deployment)),
        *((page_of(obj, "history"), {}) for obj in (conversation, generation)),
        (reverse("admin:autocomplete"), autocomplete),
        (reverse("admin:search"), {"s": "Quarterly"}),
    ]

    for address, query in pages:
        response = as_admin.get(address, query, follow=True)
        text = response.content.decode()
        assert response.status_code in {200, 403, 404}, address
        assert not [secret for secret in SECRETS if secret in text], address


def test_a_title_cannot_be_searched_for(as_admin: Client, generation: Generation) -> None:
    page = as_admin.get(list_of("conversation"), {"q": "Quarterly"})

    assert page.context["cl"].result_count == 0


@pytest.mark.parametrize("field", ["title", "messages__content", "system_prompt"])
def test_filtering_by_what_a_person_wrote_is_refused(
    as_admin: Client, generation: Generation, field: str
) -> None:
    response = as_admin.get(list_of("conversation"), {f"{field}__startswith": "Q"})

    assert response.status_code in {HTTPStatus.BAD_REQUEST, HTTPStatus.FOUND}


def test_a_generation_tells_how_long_each_part_took(
    as_admin: Client, generation: Generation
) -> None:
    for address in (list_of("generation"), page_of(generation)):
        page = as_admin.get(address).content.decode()
        assert all(time in page for time in ("0.50 s", "0.25 s", "2.00 s")), address


@pytest.mark.parametrize("model", ["conversation", "generation", "usageentry"])
def test_activity_and_ledger_can_only_be_looked_at(
    as_admin: Client, generation: Generation, entry: UsageEntry, model: str
) -> None:
    obj = {"conversation": generation.conversation, "generation": generation}.get(model, entry)

    page = as_admin.get(list_of(model)).content.decode()

    assert "delete_selected" not in page
    addresses = [page_of(obj), page_of(obj, "delete"), reverse(f"admin:chat_{model}_add")]
    for address in addresses:
        response = as_admin.post(address, {"post": "yes", "cost": "0", "status": "failed"})
        assert response.status_code == HTTPStatus.FORBIDDEN, address
    assert UsageEntry.objects.get().cost == Decimal("0.000074")
    assert Generation.objects.get().status == Generation.Status.COMPLETED


@pytest.mark.parametrize(
    ("model", "by"),
    [
        ("generation", "pk"),
        ("generation", "conversation_id"),
        ("usageentry", "generation_id"),
        ("usageentry", "pk"),
        ("generation", "bob@EXAMPLE"),
    ],
)
def test_rows_are_found_by_whole_ids_and_by_address(
    as_admin: Client, generation: Generation, entry: UsageEntry, model: str, by: str
) -> None:
    obj = generation if model == "generation" else entry

    page = as_admin.get(list_of(model), {"q": str(getattr(obj, by, by))})

    assert list(page.context["cl"].result_list) == [obj]


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_as_many_queries_for_twenty_rows_as_for_one(
    as_admin: Client,
    deployment: Deployment,
    model: str,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(20):
        _fill(number, Tenant.objects.create(slug=f"t{number}", name=f"Tenant {number}"))

    # rows, choices of filters, and dates
    with django_assert_max_num_queries(ENTRANCE_STATEMENTS + 6):
        page = as_admin.get(list_of(model))

    assert page.context["cl"].result_count >= 20


def _fill(number: int, tenant: Tenant) -> None:
    """One more row of everything, in a tenant, of a person and with a deployment of its own."""
    user = User.objects.create(email=f"p{number}@example.org")
    deployment = Deployment.objects.create(
        name=f"d{number}", label=f"D {number}", kind="azure", model="m", context_window=8192
    )
    DeploymentGrant.objects.create(tenant=tenant, deployment=deployment)
    ours: dict[str, Any] = {"tenant": tenant, "deployment": deployment}
    now = timezone.now()
    conversation = Conversation.objects.create(
        **ours, owner=user, title="T", request_id=user.pk, active_at=now
    )
    prompt = conversation.messages.create(tenant=tenant, role="user", content="Hello")
    generation = Generation.objects.create(
        **ours, user=user, conversation=conversation, prompt=prompt, request_id=user.pk
    )
    UsageEntry.objects.create(
        **ours, user=user, generation_id=generation.pk, input_tokens=1, output_tokens=1,
        input_price=1, output_price=1, cost=1,
    )  # fmt: skip


def test_a_manager_sees_names_where_an_administrator_sees_links(
    as_admin: Client, manager: Membership, generation: Generation
) -> None:
    links = ["/admin/tenants/user/", "/admin/chat/deployment/"]

    of_manager = browser_of(manager.user).get(page_of(generation)).content.decode()
    of_administrator = as_admin.get(page_of(generation)).content.decode()

    assert all(link in of_administrator for link in links)
    assert not any(link in of_manager for link in links)
    assert "bob@example.org" in of_manager
    assert "Small model" in of_manager


def test_managers_filter_by_their_own_models_alone(
    manager: Membership, generation: Generation, other_tenant: Tenant
) -> None:
    for name, tenant in (("Ours", manager.tenant), ("Theirs", other_tenant)):
        deployment = Deployment.objects.create(
            name=name.lower(), label=name, kind="azure", model="m", context_window=8192
        )
        DeploymentGrant.objects.create(tenant=tenant, deployment=deployment)

    filters = browser_of(manager.user).get(list_of("generation")).context["cl"].filter_specs

    choices = {spec.title: getattr(spec, "lookup_choices", []) for spec in filters}
    assert [name for _, name in choices["deployment"]] == ["Ours", "Small model"]
    assert "tenant" not in choices


# ── Catalogue ──────────────────────────────────────────────────────────────────────────────────
def test_a_changed_deployment_is_written_down(
    as_admin: Client, administrator: User, deployment: Deployment
) -> None:
    changed = change(as_admin, deployment, label="Smaller", name="renamed", is_active="")

    event = AuditEvent.objects.get(action="deployment.changed")
    assert (changed.label, changed.name, changed.is_active) == ("Smaller", "small", False)
    assert event.actor == administrator
    assert event.detail == {
        "changes": {"label": ["Small model", "Smaller"], "is_active": ["True", "False"]}
    }


def test_an_endpoint_on_a_foreign_host_is_refused(as_admin: Client, deployment: Deployment) -> None:
    for endpoint in ("http://169.254.169.254/v1", "https://openai.azure.com.attacker.example/"):
        with pytest.raises(AssertionError, match="not among the hosts"):
            change(as_admin, deployment, endpoint=endpoint)


def test_a_deployment_is_switched_off_not_deleted(as_admin: Client, deployment: Deployment) -> None:
    response = as_admin.post(page_of(deployment, "delete"), {"post": "yes"}, follow=True)

    assert Deployment.objects.filter(pk=deployment.pk).exists()
    assert "never deleted here" in response.content.decode()
