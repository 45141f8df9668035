"""Who runs one tenant sees nothing of another in the admin: every model, address and trick.

Row-level security and the admin's own checks both hold; the last tests take one of them away.
"""

import uuid
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.contrib import admin
from django.db import models
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from chat.models import Deployment, Generation
from portal.admin import scope_of
from tenants.admin.confined import Confined, ConfinedFilter
from tenants.models import Membership, Tenant, User
from tenants.rights import AdminAccess
from tenants.scope import platform_scope
from tests.admin import administrator, as_admin
from tests.client import without_scope
from tests.portal.two_tenants import (
    MODELS,
    World,
    as_stranger,
    list_of,
    names_globex,
    state_of,
    world,
)
from tests.test_structure import patterns

__all__ = ["administrator", "as_admin", "as_stranger", "world"]  # fixtures

# Addresses of the admin that name no row of a model.
WITHOUT_ROW = {
    "admin:None", "admin:app_list", "admin:autocomplete", "admin:index", "admin:jsi18n",
    "admin:login", "admin:logout", "admin:password_change", "admin:password_change_done",
    "admin:search", "admin:tenants_auditevent_export", "admin:view_on_site",
}  # fmt: skip
WITH_ROW = sorted(
    name
    for name, pattern in patterns()
    if name.startswith("admin:") and name not in WITHOUT_ROW and "<" in str(pattern.pattern)
)
LISTS = [pytest.param(model, id=model._meta.label) for model in MODELS]
# The rows of these are the platform's: only administrators see them.
OF_THE_PLATFORM = {User, Deployment}


def model_of(name: str) -> type[Model]:
    """The model that this address is about."""
    if name == "admin:auth_user_password_change":
        return User
    found = [m for m in MODELS if name[6:].startswith(f"{m._meta.app_label}_{m._meta.model_name}_")]
    assert found, f"what is {name} about? Say it here, or in WITHOUT_ROW"
    return found[0]


def address(name: str, pk: object) -> str:
    """The address with this id."""
    pattern = dict(patterns())[name].pattern
    (key,) = pattern.regex.groupindex or pattern.converters
    return reverse(name, kwargs={key: pk})


# ── Addresses with the id of a row ─────────────────────────────────────────────────────────────
@pytest.mark.parametrize("model", LISTS)
def test_a_row_of_another_tenant_is_answered_as_one_that_does_not_exist(
    as_stranger: Client, world: World, model: type[Model]
) -> None:
    pk, before = world.globex[model].pk, state_of(world.globex)

    for name in [name for name in WITH_ROW if model_of(name) is model]:
        for method in ("get", "post"):
            answer, usual = (
                answer_to(as_stranger, method, name, row) for row in (pk, uuid.uuid4())
            )
            assert answer == usual, (method, name)
            assert answer[0] in {302, 403, 404, 405}, (method, name)
    assert not names_globex(as_stranger.get("/admin/"))  # what messages say
    assert state_of(world.globex) == before


def answer_to(client: Client, method: str, name: str, pk: object) -> tuple[int, str]:
    """Status and new address of this request, whose answer must hold nothing of Globex."""
    fields = {"post": "yes", "name": "Taken", "title": "Taken", "role": "member"}
    response = getattr(client, method)(address(name, pk), fields)
    assert not names_globex(response)
    return response.status_code, response.get("Location", "").replace(str(pk), "ID")


def test_every_address_with_a_row_is_about_a_model_that_is_tried() -> None:
    assert {model_of(name) for name in WITH_ROW} == set(MODELS)


def test_every_model_of_the_admin_has_a_row_in_both_tenants(world: World) -> None:
    assert set(MODELS) <= world.acme.keys()
    assert world.acme.keys() == world.globex.keys()


@pytest.mark.parametrize("model", LISTS)
def test_to_field_and_popup_open_no_row_of_another_tenant(
    as_stranger: Client, world: World, model: type[Model]
) -> None:
    row = world.globex[model]
    change = reverse(f"{list_name(model)}_change", args=[row.pk])
    by_name = reverse(f"{list_name(model)}_change", args=["globex"])
    tricks = [
        (change, {"_popup": "1"}),
        (change, {"_to_field": "id", "_popup": "1"}),
        (by_name, {"_to_field": "slug"}),
        (by_name, {"_to_field": "name"}),
        (list_of(model), {"_to_field": "id", "_popup": "1"}),
        (list_of(model), {"_to_field": "name"}),
    ]

    answers = [as_stranger.get(url, query, follow=True) for url, query in tricks]

    assert {answer.status_code for answer in answers} <= {200, 400, 403, 404}
    assert not any("Globex" in answer.content.decode() for answer in answers)
    assert not any("adminform" in (answer.context or {}) for answer in answers)


def list_name(model: type[Model]) -> str:
    """What the names of the model's addresses begin with."""
    return f"admin:{model._meta.app_label}_{model._meta.model_name}"


# ── Lists ──────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("model", LISTS)
def test_a_list_holds_no_row_of_another_tenant_however_it_is_asked(
    as_stranger: Client, world: World, model: type[Model]
) -> None:
    tenant, row = world.globex[Tenant], world.globex[model]
    queries: list[dict[str, str]] = [
        {}, {"all": ""}, {"q": str(row.pk)}, {"q": "glob"}, {"q": "owner"}, {"o": "-1.2.3"},
        {"tenant__id__exact": str(tenant.pk)}, {"tenant": str(tenant.pk)}, {"tenant__isnull": "1"},
        {"id__exact": str(row.pk)}, {"pk__in": str(row.pk)}, {"id__gte": "0" * 32},
        {"deployment__id__exact": str(world.globex[Deployment].pk)}, {"_facets": "True"},
    ]  # fmt: skip

    for query in queries:
        response = as_stranger.get(list_of(model), query, follow=True)
        assert response.status_code in {200, 400, 403}, query
        if response.status_code == 200 and "cl" in response.context:
            shown = {str(obj.pk) for obj in response.context["cl"].result_list}
            assert str(row.pk) not in shown, query
            assert "Globex" not in response.content.decode(), query


def test_their_own_rows_are_in_the_lists(as_stranger: Client, world: World) -> None:
    for model in (Tenant, Membership, Generation):
        shown = as_stranger.get(list_of(model)).context["cl"].result_list
        assert world.acme[model] in list(shown), model


SECRETS: dict[type[Model], list[str]] = {
    User: ["password__startswith", "email__startswith", "is_superuser__exact"],
    Tenant: ["name__startswith", "default_system_prompt__contains", "memberships__user__email"],
    Deployment: ["endpoint__startswith", "input_price__gte"],
}
OWN_SECRETS = {"token_hash", "title", "partial_text", "text", "reason", "endpoint", "password"}


def guesses(model: type[Model]) -> list[str]:
    """Filters by what no list offers: of each related row, and of the row itself."""
    fields = model._meta.concrete_fields
    related = [(field.name, field.related_model) for field in fields if field.remote_field]
    return [
        *[f"{name}__{end}" for name, other in related if other for end in SECRETS.get(other, [])],
        *[f"{field.name}__startswith" for field in fields if field.name in OWN_SECRETS],
    ]


@pytest.mark.parametrize("model", LISTS)
def test_nothing_is_guessed_letter_by_letter_through_a_filter(
    as_stranger: Client, as_admin: Client, world: World, model: type[Model]
) -> None:
    for guess in guesses(model):
        assert as_stranger.get(list_of(model), {guess: "a"}).status_code in {400, 403}, guess
        assert as_admin.get(list_of(model), {guess: "a"}).status_code == 400, guess


def test_every_filter_by_related_rows_is_confined(as_admin: Client, world: World) -> None:
    for model in MODELS:
        for spec in as_admin.get(list_of(model)).context["cl"].filter_specs:
            is_related = isinstance(spec, admin.RelatedFieldListFilter)
            assert not is_related or isinstance(spec, ConfinedFilter), (model, spec)


# ── Choices ────────────────────────────────────────────────────────────────────────────────────
def test_no_lookup_offers_a_row_of_another_tenant(as_stranger: Client, world: World) -> None:
    url = reverse("admin:autocomplete")
    fields = [(m, f) for m in world.acme for f in m._meta.concrete_fields if f.remote_field]

    for model, field in fields:
        meta = model._meta
        names = {
            "app_label": meta.app_label,
            "model_name": str(meta.model_name),
            "field_name": field.name,
        }
        for term in ("", "glob", "owner", str(world.globex[Tenant].pk)):
            response = as_stranger.get(url, {**names, "term": term})
            assert response.status_code in {200, 403, 404}, names
            assert not names_globex(response), names


@pytest.mark.parametrize("model", LISTS)
def test_no_form_offers_a_row_of_another_tenant(
    as_stranger: Client, world: World, model: type[Model]
) -> None:
    theirs = {str(row.pk) for row in world.globex.values()}
    change = reverse(f"{list_name(model)}_change", args=[world.acme[model].pk])

    for url in (reverse(f"{list_name(model)}_add"), change):
        page = as_stranger.get(url, follow=True)
        text = page.content.decode()
        assert page.status_code in {200, 403}, url
        assert not [pk for pk in theirs if pk in text], url
        assert "Globex" not in text, url


# ── One line of defence taken away ─────────────────────────────────────────────────────────────
def unconfined(self: Confined, request: object, rows: Any) -> Any:
    """`Confined.confine`, had it been forgotten."""
    return rows


def unscoped(access: AdminAccess) -> AbstractContextManager[None]:
    """`scope_of`, had it taken everybody for an administrator."""
    return platform_scope("a mutation")


def test_row_level_security_alone_shows_nothing_of_another_tenant(
    as_stranger: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Confined, "confine", unconfined)

    for model in MODELS:
        response = as_stranger.get(list_of(model))
        assert not names_globex(response), model
        if model not in OF_THE_PLATFORM and response.status_code == 200:
            assert world.acme[model] in list(response.context["cl"].result_list), model
    for name in WITH_ROW:
        pk = world.globex[model_of(name)].pk
        assert as_stranger.get(address(name, pk)).status_code in {302, 403, 404, 405}, name


def test_in_the_scope_of_a_manager_no_query_finds_a_row_of_another_tenant(world: World) -> None:
    manager = world.acme[Membership]

    with without_scope(), scope_of(AdminAccess(manager.user, [manager])):
        for model in world.globex.keys() - OF_THE_PLATFORM:
            rows: models.QuerySet[Model] = model._base_manager.all()
            assert {row.pk for row in rows} & {world.acme[model].pk}, model
            assert not rows.filter(pk=world.globex[model].pk).exists(), model


def test_the_admins_own_checks_alone_show_nothing_of_another_tenant(
    as_stranger: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.admin.scope_of", unscoped)

    for model in MODELS:
        for url in (list_of(model), reverse(f"{list_name(model)}_add")):
            assert not names_globex(as_stranger.get(url)), url
    for name in WITH_ROW:
        pk = world.globex[model_of(name)].pk
        assert as_stranger.get(address(name, pk)).status_code in {302, 403, 404, 405}, name
