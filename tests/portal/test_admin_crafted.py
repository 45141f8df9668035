"""Forms that no page of the admin would send: ids of another tenant, rights, what is read-only."""

from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from chat.models import Conversation, Deployment, DeploymentGrant, LibraryPrompt
from tenants.models import AuditEvent, Membership, Tenant, TenantLogo, User
from tenants.services import create_member
from tests.admin import form_of
from tests.portal.two_tenants import (
    MODELS,
    World,
    as_stranger,
    list_of,
    names_globex,
    page_of,
    state_of,
    world,
)
from tests.tenants.cast import browser_of

__all__ = ["as_stranger", "world"]  # fixtures

RIGHTS = {"is_superuser": "on", "is_staff": "on", "role": "owner", "usage": "0"}


def send(client: Client, address: str, **fields: Any) -> Any:
    """Send the form of this page with these fields changed; they alone where it shows none."""
    shown = client.get(address)
    own = form_of(client, address) if shown.status_code == 200 else {}
    return client.post(address, {**own, **fields}, follow=True)


# ── Ids of another tenant ──────────────────────────────────────────────────────────────────────
def test_a_new_prompt_goes_to_no_other_tenant(as_stranger: Client, world: World) -> None:
    before = state_of(world.globex)
    address = reverse("admin:chat_libraryprompt_add")
    form = {"tenant": str(world.globex[Tenant].pk), "title": "Mine", "text": "x", "position": "1"}

    refused = as_stranger.post(address, form)
    in_popup = as_stranger.post(f"{address}?_popup=1", {**form, "_popup": "1"})
    by_address = as_stranger.get(address, {"tenant": str(world.globex[Tenant].pk)})

    assert "valid choice" in refused.content.decode()
    assert not any(names_globex(page) for page in (refused, in_popup, by_address))
    assert not LibraryPrompt.objects.filter(title="Mine").exists()
    assert state_of(world.globex) == before


def test_a_prompt_of_ones_own_does_not_move_to_another_tenant(
    as_stranger: Client, world: World
) -> None:
    prompt, other = world.acme[LibraryPrompt], world.globex[Tenant]

    send(as_stranger, page_of(prompt), tenant=str(other.pk), tenant_id=str(other.pk), title="New")

    prompt.refresh_from_db()
    assert (prompt.title, prompt.tenant) == ("New", world.acme[Tenant])


def test_the_order_of_another_tenants_prompts_stays(as_stranger: Client, world: World) -> None:
    before = state_of(world.globex)
    data = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": str(world.globex[LibraryPrompt].pk),
        "form-0-position": "99",
        "_save": "Save",
    }

    answer = as_stranger.post(list_of(LibraryPrompt), data)

    assert answer.status_code < 500
    assert state_of(world.globex) == before
    assert not LibraryPrompt.objects.filter(position=99).exists()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_action_reaches_a_row_of_another_tenant(
    as_stranger: Client, world: World, model: Any
) -> None:
    before = state_of(world.globex)
    listed = as_stranger.get(list_of(model))
    options = listed.context["cl"].model_admin if listed.status_code == 200 else None
    offered = options.get_actions(listed.wsgi_request) if options else {}
    rows = {"_selected_action": [str(world.globex[model].pk)], "select_across": "0", "index": "0"}

    for action in {"delete_selected", "remove", "deactivate", "withdraw", *offered}:
        for extra in ({}, {"post": "yes"}):
            answer = as_stranger.post(list_of(model), {**rows, "action": action, **extra})
            assert answer.status_code < 500, action
            assert not names_globex(answer), action
    assert state_of(world.globex) == before


def test_everything_selected_means_everything_of_ones_own(
    as_stranger: Client, world: World
) -> None:
    before = state_of(world.globex)
    own = str(world.acme[LibraryPrompt].pk)
    data = {"action": "delete_selected", "_selected_action": [own], "select_across": "1"}

    as_stranger.post(list_of(LibraryPrompt), {**data, "index": "0", "post": "yes"})

    assert not LibraryPrompt.objects.filter(tenant=world.acme[Tenant]).exists()
    assert AuditEvent.objects.filter(action="libraryprompt.deleted").count() == 1
    assert state_of(world.globex) == before


@pytest.mark.parametrize("of", ["globex", "new", "parent"])
def test_a_model_is_not_granted_through_the_hidden_fields_of_the_tenants_page(
    as_stranger: Client, world: World, of: str
) -> None:
    before, other = state_of(world.globex), world.globex
    tricks = {
        "globex": {"grants-0-id": str(other[DeploymentGrant].pk), "grants-0-is_default": "on"},
        "new": {
            "grants-TOTAL_FORMS": "2",
            "grants-1-deployment": str(other[Deployment].pk),
            "grants-1-tenant": str(world.acme[Tenant].pk),
            "grants-1-is_default": "on",
            "grants-1-is_offered": "on",
        },
        "parent": {
            "grants-0-tenant": str(other[Tenant].pk),
            "grants-0-deployment": str(other[Deployment].pk),
            "grants-0-is_default": "on",
        },
    }

    answer = send(as_stranger, page_of(world.acme[Tenant]), **tricks[of])

    assert answer.status_code < 500
    assert not names_globex(answer)
    assert state_of(world.globex) == before
    granted = DeploymentGrant.objects.filter(tenant=world.acme[Tenant])
    assert [grant.deployment for grant in granted] == [world.acme[Deployment]]


@pytest.mark.parametrize("whose", ["its own", "another tenant's"])
def test_a_model_has_only_another_one_of_the_tenant_as_its_fallback(
    as_stranger: Client, world: World, whose: str
) -> None:
    wrong = (world.acme if whose == "its own" else world.globex)[Deployment]

    answer = send(as_stranger, page_of(world.acme[Tenant]), **{"grants-0-fallback": str(wrong.pk)})

    assert "Choose another one of the organisation" in answer.content.decode()
    assert not names_globex(answer)
    assert world.acme[Tenant].grants.get().fallback is None


def test_rows_of_inlines_are_not_taken_away_by_a_manager(as_stranger: Client, world: World) -> None:
    tenant = world.acme[Tenant]

    send(as_stranger, page_of(tenant), **{"grants-0-DELETE": "on", "memberships-0-DELETE": "on"})

    assert tenant.grants.count() == 1
    assert tenant.memberships.filter(user=world.acme[User]).exists()


# ── Rights, and what is read-only ──────────────────────────────────────────────────────────────
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_no_form_makes_anybody_an_administrator(
    as_stranger: Client, world: World, model: Any
) -> None:
    person = User.objects.get(email="sam@example.org")
    roles = set(person.memberships.values_list("tenant", "role"))
    own = {f"memberships-0-{name}": value for name, value in RIGHTS.items()}

    send(as_stranger, page_of(world.acme[model]), **RIGHTS, user=str(person.pk), **own)

    assert not User.objects.filter(is_superuser=True).exists()
    assert not User.objects.filter(is_staff=True).exists()
    assert set(person.memberships.values_list("tenant", "role")) == roles


def logo() -> BytesIO:
    """Another logo."""
    file = BytesIO()
    Image.new("RGB", (9, 9), "red").save(file, "PNG")
    file.seek(0)
    file.name = "logo.png"
    return file


EVERYTHING: dict[str, Any] = {
    "name": "Acme Ltd",
    "slug": "taken",
    "status": "suspended",
    "notice": "Be careful.",
    "accent_colour": "#112233",
    "max_running": "9999",
    "max_running_per_member": "9999",
    "max_queued_per_member": "9999",
    "generates_titles": "on",
    "default_system_prompt": "Be brief.",
    "reports_for": "owner",
    "retention_days": "30",
    "investigation_notice_days": "7",
    "created_at_0": "2020-01-01",
    "id": "0" * 32,
}
OF_MANAGERS = {"default_system_prompt", "generates_titles"}
OF_OWNERS = OF_MANAGERS | {
    "name", "notice", "accent_colour", "reports_for", "retention_days",
}  # fmt: skip


@pytest.mark.parametrize(("role", "theirs"), [("manager", OF_MANAGERS), ("owner", OF_OWNERS)])
def test_on_the_tenants_page_each_role_changes_only_what_is_theirs(
    world: World, role: str, theirs: set[str]
) -> None:
    tenant = world.acme[Tenant]
    person = create_member(tenant=tenant, email="sam@example.org", role=role).user
    Tenant.objects.update(generates_titles=False)
    before: dict[str, Any] = {**Tenant.objects.filter(pk=tenant.pk).values().get()}
    digest = TenantLogo.objects.get(tenant=tenant).digest

    answer = send(browser_of(person), page_of(tenant), **EVERYTHING, logo_file=logo())

    after: dict[str, Any] = {**Tenant.objects.filter(pk=tenant.pk).values().get()}
    assert "was changed successfully" in answer.content.decode()
    assert {name for name in after if after[name] != before[name]} == theirs
    is_changed = TenantLogo.objects.get(tenant=tenant).digest != digest
    assert is_changed == (role == "owner")


def test_a_member_enters_no_page_and_sends_no_form(world: World) -> None:
    person = create_member(tenant=world.acme[Tenant], email="ben@example.org", role="member").user
    client, before = browser_of(person), state_of(world.acme)

    answers = [client.get(list_of(model)) for model in MODELS]
    answers += [client.post(page_of(world.acme[model]), EVERYTHING) for model in MODELS]

    assert {answer.status_code for answer in answers} <= {302, 403}
    assert not any(b"Acme" in answer.content for answer in answers)
    assert state_of(world.acme) == before


# ── Two tenants, two roles ─────────────────────────────────────────────────────────────────────
@pytest.fixture
def as_both(world: World) -> Client:
    """A browser of somebody who owns Acme and manages Globex."""
    create_member(tenant=world.acme[Tenant], email="sam@example.org", role="owner")
    membership = create_member(tenant=world.globex[Tenant], email="sam@example.org", role="manager")
    return browser_of(membership.user)


def test_each_right_is_that_of_the_tenant_it_is_used_in(as_both: Client, world: World) -> None:
    for rows in (world.acme, world.globex):
        send(as_both, page_of(rows[Tenant]), **{**EVERYTHING, "name": "Renamed"})

    names = [Tenant.objects.get(pk=rows[Tenant].pk).name for rows in (world.acme, world.globex)]
    prompts = set(Tenant.objects.values_list("default_system_prompt", flat=True))
    assert names == ["Renamed", "Globex"]
    assert prompts == {"Be brief."}
    events = AuditEvent.objects.filter(action="tenant.changed")
    assert {event.tenant for event in events} == {world.acme[Tenant], world.globex[Tenant]}


def test_reports_that_are_for_owners_are_hidden_from_the_manager_of_that_tenant(
    as_both: Client, world: World
) -> None:
    Tenant.objects.update(reports_for=Tenant.ReportReaders.OWNER)

    shown = list(as_both.get(list_of(Conversation)).context["cl"].result_list)
    page = as_both.get(page_of(world.globex[Conversation]))

    assert shown == [world.acme[Conversation]]
    assert page.status_code == 302


def test_the_audit_log_is_read_only_where_they_are_owner(as_both: Client, world: World) -> None:
    page = as_both.get(list_of(AuditEvent))

    assert {event.tenant for event in page.context["cl"].result_list} == {world.acme[Tenant]}


def test_a_grant_of_one_tenant_is_not_moved_to_the_other(as_both: Client, world: World) -> None:
    before = {name: state_of(rows) for name, rows in vars(world).items()}
    foreign = {"grants-0-id": str(world.globex[DeploymentGrant].pk), "grants-0-is_default": "on"}

    send(as_both, page_of(world.acme[Tenant]), **foreign)

    grants = DeploymentGrant._meta.label
    for name, rows in vars(world).items():
        assert state_of(rows)[grants] == before[name][grants]
        assert state_of(rows)["counts"] == before[name]["counts"] or name == "acme"
    assert DeploymentGrant.objects.count() == 2


def test_a_lost_role_is_lost_at_once(as_both: Client, world: World) -> None:
    Membership.objects.filter(user__email="sam@example.org").update(role="member")

    assert as_both.get(page_of(world.acme[Tenant]), follow=True).status_code == 403
