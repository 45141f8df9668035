"""Rules over the whole project: each holds for everything that is there, and for what is added."""

import uuid
from collections.abc import Iterator

import pytest
from celery import current_app
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from chat.models import Conversation
from tenants.models import Membership, Tenant, User
from tests.client import PortalClient

# Anonymous people may ask for these; everything else sends them to the sign-in page.
PUBLIC = {
    "account_login", "account_logout", "account_inactive", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key_done",
    "admin:login", "admin:jsi18n", "admin:logout",
}  # fmt: skip
POSTS = {
    "chat:start_conversation", "chat:send_message", "chat:rename_conversation",
    "chat:delete_conversation", "chat:stop_generation", "chat:retry_generation",
}  # fmt: skip


def patterns(
    resolver: URLResolver | None = None, namespace: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every URL pattern of the portal with its name and namespace."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from patterns(pattern, inner)
        else:
            yield f"{namespace}{pattern.name}", pattern


def chat_names() -> list[str]:
    """The names of a tenant's own addresses."""
    return sorted(name for name, _ in patterns() if name.startswith("chat:"))


def address(name: str, conversation: Conversation) -> str:
    """The address of this name in bob's conversation."""
    pattern = dict(patterns())[name].pattern
    ids = {
        "conversation_id": conversation.pk,
        "generation_id": conversation.generations.get().pk,
    }
    wanted = {key: ids[key] for key in pattern.converters}
    return reverse(name, kwargs={"tenant": conversation.tenant.slug, **wanted})


def ask(client: Client, name: str, url: str) -> int:
    """The status of a request with the method that the address takes."""
    if name not in POSTS:
        return client.get(url).status_code
    fields = {"message": "intruding", "request_id": str(uuid.uuid4()), "title": "intruded"}
    return client.post(url, fields).status_code


@pytest.fixture(params=["colleague", "outsider", "nobody", "suspended", "deactivated", "inactive"])
def stranger(request: pytest.FixtureRequest, conversation: Conversation) -> User:
    """Somebody who may not see bob's conversation, or may no longer."""
    if request.param in {"colleague", "outsider"}:
        membership: Membership = request.getfixturevalue(request.param)
        return membership.user
    if request.param == "nobody":
        nobody: User = request.getfixturevalue("nobody")
        return nobody
    if request.param == "suspended":
        Tenant.objects.update(status=Tenant.Status.SUSPENDED)
    if request.param == "deactivated":
        Membership.objects.update(is_active=False)
    if request.param == "inactive":
        User.objects.update(is_active=False)
    return User.objects.get(pk=conversation.owner_id)


@pytest.mark.parametrize("name", chat_names())
def test_a_stranger_gets_404_on_every_address_and_changes_nothing(
    name: str, stranger: User, conversation: Conversation, client: Client
) -> None:
    client.force_login(stranger)
    url = address(name, conversation)
    takes_an_id = str(conversation.pk) in url or "/g/" in url
    belongs = stranger.memberships.filter(tenant=conversation.tenant).usable().exists()

    status = ask(client, name, url)

    # A colleague may use the tenant's own pages; nobody else may even know that they exist.
    if takes_an_id or not belongs:
        assert status in ({302} if not stranger.is_active else {404})
    assert_untouched(conversation)


def assert_untouched(conversation: Conversation) -> None:
    """Bob's conversation is as it was."""
    unchanged = Conversation.objects.get(pk=conversation.pk)
    assert unchanged.title == "Good morning"
    assert unchanged.messages.count() == 1
    assert [g.status for g in unchanged.generations.all()] == ["queued"]
    assert unchanged.generations.get().stop_requested_at is None


@pytest.mark.parametrize("name", chat_names())
def test_an_anonymous_person_is_sent_to_the_sign_in_page(
    name: str, conversation: Conversation, client: Client
) -> None:
    url = address(name, conversation)

    assert ask(client, name, url) == 302
    client.defaults["HTTP_X_REQUESTED_WITH"] = "fetch"
    assert ask(client, name, url) == 401
    assert_untouched(conversation)


@pytest.mark.parametrize("name", chat_names())
def test_every_address_of_a_tenant_has_the_member_guard(name: str) -> None:
    view = dict(patterns())[name].callback

    assert getattr(view, "is_member_required", False)


def test_no_other_address_answers_anonymous_people(client: Client, db: None) -> None:
    others = [(name, p) for name, p in patterns() if not name.startswith("chat:")]
    open_to_all = {
        name
        for name, pattern in others
        if not pattern.pattern.converters
        and not pattern.pattern.regex.groups
        and client.get(reverse(name)).status_code not in {302, 404, 405}
    }

    assert open_to_all <= PUBLIC


def test_every_task_of_ours_names_its_queue() -> None:
    ours = {name for name in current_app.tasks if name.split(".")[0] in {"chat", "tenants"}}

    assert ours
    assert ours == set(settings.CELERY_TASK_ROUTES)


def test_a_post_without_a_token_is_refused_and_changes_nothing(
    conversation: Conversation,
) -> None:
    client = PortalClient(enforce_csrf_checks=True)
    client.force_login(conversation.owner)

    statuses = {ask(client, name, address(name, conversation)) for name in POSTS}

    assert statuses == {403}
    assert_untouched(conversation)
