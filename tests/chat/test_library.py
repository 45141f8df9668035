"""The prompt library: kept by managers in the admin, offered to members; and the system prompt."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from chat import services
from chat.models import Deployment, LibraryPrompt
from tenants.models import AuditEvent, Membership, Tenant
from tests.tenants.cast import browser_of, manager

__all__ = ["manager"]  # fixtures

LIST = "/admin/chat/libraryprompt/"
HOSTILE = '"><img src=x onerror=alert(1)>{{7*7}}'


def prompt_of(tenant: Tenant, title: str, **fields: object) -> LibraryPrompt:
    """A prompt of the tenant's library."""
    return LibraryPrompt.objects.create(
        tenant=tenant, title=title, **{"text": f"{title}: [whom]", **fields}
    )


@pytest.fixture
def as_manager(manager: Membership) -> Client:
    """A browser in which mona is signed in."""
    return browser_of(manager.user)


# ── In the admin ───────────────────────────────────────────────────────────────────────────────
def test_a_manager_adds_a_prompt_and_it_is_written_down(
    as_manager: Client, manager: Membership
) -> None:
    address = reverse("admin:chat_libraryprompt_add")
    form = as_manager.get(address).context["adminform"].form
    data = {"tenant": form["tenant"].value(), "title": "Letter", "text": "Dear …", "position": "3"}

    as_manager.post(address, data)

    prompt = LibraryPrompt.objects.get()
    event = AuditEvent.objects.get(action="libraryprompt.created")
    assert (prompt.tenant, prompt.title, prompt.position) == (manager.tenant, "Letter", 3)
    assert (event.actor, event.tenant) == (manager.user, manager.tenant)


def test_a_prompt_is_changed_and_long_texts_are_cut_in_the_audit_log(
    as_manager: Client, tenant: Tenant
) -> None:
    prompt = prompt_of(tenant, "Letter", text="x" * 20_000)
    address = reverse("admin:chat_libraryprompt_change", args=[prompt.pk])

    as_manager.post(address, {"title": "Letter", "position": "0", "text": "short"})

    (before, after) = AuditEvent.objects.get(action="libraryprompt.changed").detail["changes"][
        "text"
    ]
    assert (len(before), after) == (1001, "short")


def test_the_order_is_changed_in_the_list(as_manager: Client, tenant: Tenant) -> None:
    first, second = prompt_of(tenant, "A"), prompt_of(tenant, "B")
    data = {
        "form-TOTAL_FORMS": "2",
        "form-INITIAL_FORMS": "2",
        "form-0-id": str(first.pk),
        "form-0-position": "9",
        "form-1-id": str(second.pk),
        "form-1-position": "0",
        "_save": "Save",
    }

    as_manager.post(LIST, data)

    assert [p.title for p in LibraryPrompt.objects.order_by("position", "title")] == ["B", "A"]
    event = AuditEvent.objects.get(action="libraryprompt.changed")
    assert event.detail == {"changes": {"position": ["0", "9"]}}


def test_a_prompt_is_deleted_and_it_is_written_down(as_manager: Client, tenant: Tenant) -> None:
    prompt = prompt_of(tenant, "Letter")

    as_manager.post(reverse("admin:chat_libraryprompt_delete", args=[prompt.pk]), {"post": "yes"})

    event = AuditEvent.objects.get(action="libraryprompt.deleted")
    assert not LibraryPrompt.objects.exists()
    assert event.subject == f"chat.libraryprompt:{prompt.pk}"
    assert event.detail == {"name": "Letter"}


@pytest.mark.parametrize("page", ["add", "change"])
def test_a_title_that_is_there_already_is_an_error_of_the_form(
    as_manager: Client, tenant: Tenant, page: str
) -> None:
    prompt_of(tenant, "Letter")
    args = [prompt_of(tenant, "Note").pk] if page == "change" else []
    address = reverse(f"admin:chat_libraryprompt_{page}", args=args)
    data = {"tenant": str(tenant.pk), "title": "Letter", "text": "kept text", "position": "0"}

    answer = as_manager.post(address, data)

    assert answer.status_code == 200
    assert "already exists" in answer.content.decode()
    assert "kept text" in answer.content.decode()


def test_two_tenants_may_use_the_same_title(
    as_manager: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    prompt_of(other_tenant, "Letter")
    data = {"tenant": str(tenant.pk), "title": "Letter", "text": "x", "position": "0"}

    as_manager.post(reverse("admin:chat_libraryprompt_add"), data)

    assert LibraryPrompt.objects.filter(title="Letter").count() == 2


# ── On the empty page ──────────────────────────────────────────────────────────────────────────
def test_members_find_their_tenants_library_in_its_order(
    as_member: Client, tenant: Tenant, other_tenant: Tenant, deployment: Deployment
) -> None:
    prompt_of(other_tenant, "Theirs")
    for position, title in enumerate(["Second", "First"]):
        prompt_of(tenant, title, position=2 - position)

    page = as_member.get("/acme/")

    assert [p.title for p in page.context["prompts"]] == ["First", "Second"]
    assert 'data-starter="First: [whom]"' in page.content.decode()
    assert "Theirs" not in page.content.decode()
    assert "Summarise a text" not in page.content.decode()


def test_without_a_library_the_portals_own_ideas_are_shown(
    as_member: Client, deployment: Deployment
) -> None:
    assert "Summarise a text" in as_member.get("/acme/").content.decode()


def test_a_prompt_is_filled_in_without_script(
    as_member: Client, tenant: Tenant, deployment: Deployment
) -> None:
    prompt = prompt_of(tenant, "Letter", text="Dear\n\n  [whom]")

    page = as_member.get("/acme/", {"prompt": str(prompt.pk)})

    assert ">Dear\n\n  [whom]</textarea>" in page.content.decode()


@pytest.mark.parametrize("chosen", ["theirs", "none", "odd", "nul"])
def test_a_prompt_that_the_library_does_not_have_fills_in_nothing(
    as_member: Client, other_tenant: Tenant, deployment: Deployment, chosen: str
) -> None:
    theirs = str(prompt_of(other_tenant, "Theirs").pk)
    asked = {"theirs": theirs, "none": str(uuid.uuid4()), "odd": "x", "nul": "\0"}[chosen]

    page = as_member.get("/acme/", {"prompt": asked})

    assert page.status_code == 200
    assert "></textarea>" in page.content.decode()


def test_long_texts_are_linked_to_and_not_in_the_page(
    as_member: Client, tenant: Tenant, deployment: Deployment
) -> None:
    prompts = [prompt_of(tenant, f"Long {n}", text="word " * 4000) for n in range(12)]

    page = as_member.get("/acme/").content.decode()

    assert len(page) < 60_000
    assert page.count("?prompt=") == len(prompts)
    assert "4 more" in page
    assert "data-starter" not in page


def test_what_a_manager_typed_is_inert(
    as_member: Client, as_manager: Client, tenant: Tenant, deployment: Deployment
) -> None:
    prompt = prompt_of(tenant, HOSTILE, text=HOSTILE)
    change = reverse("admin:chat_libraryprompt_change", args=[prompt.pk])

    for client, address in [
        (as_member, "/acme/"),
        (as_member, f"/acme/?prompt={prompt.pk}"),
        (as_manager, LIST),
        (as_manager, change),
    ]:
        assert "<img src=x" not in client.get(address).content.decode(), address


# ── The tenant's system prompt ─────────────────────────────────────────────────────────────────
def test_a_new_conversation_takes_the_tenants_system_prompt_and_keeps_it(
    member: Membership, deployment: Deployment
) -> None:
    member.tenant.default_system_prompt = "Answer in Dutch."
    conversation = services.start_conversation(actor=member, text="Hi", request_id=uuid.uuid4())
    member.tenant.default_system_prompt = "Answer in Latin."
    services.stop_generation(generation=conversation.generations.get())
    services.send_message(
        actor=member, conversation=conversation, text="More", request_id=uuid.uuid4()
    )

    conversation.refresh_from_db()
    assert conversation.system_prompt == "Answer in Dutch."
