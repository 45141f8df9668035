"""The same through the ORM: what a query that forgets its tenant can do, which is nothing."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.db.models import Count, F, Prefetch
from django.utils import timezone

from chat.models import Conversation, Generation, LibraryPrompt, Message
from tenants.models import Membership, Tenant, User
from tenants.scope import platform_scope, tenant_scope
from tests.client import without_scope
from tests.tenants.both import Both, tenant_models

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(both: Both) -> Iterator[Tenant]:
    """Acme; what follows runs in its scope, as a request to its pages does."""
    with without_scope(), tenant_scope(both.acme):
        yield both.acme


@pytest.fixture
def theirs(both: Both) -> Conversation:
    """Globex's conversation, read before the scope began: its ids are known."""
    return Conversation.objects.select_related("head").get(tenant=both.globex)


@pytest.fixture
def no_scope(both: Both) -> Iterator[None]:
    """No scope: a job, command or shell that has set none."""
    with without_scope():
        yield


def refused(work: Callable[[], object]) -> str:
    """The words in which the database refuses this."""
    with connection.cursor() as cursor:  # else references are looked at when the test ends
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        work()
    return str(error.value)


# ── Without a scope ────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model.__name__)
def test_without_a_scope_a_model_has_no_rows(model: type[models.Model], no_scope: None) -> None:
    rows = model._default_manager.all()

    assert (rows.count(), rows.exists(), list(rows), rows.first()) == (0, False, [], None)
    assert rows.aggregate(count=Count("pk"))["count"] == 0


def test_without_a_scope_every_write_raises(both: Both, no_scope: None) -> None:
    conversation = Conversation(tenant=both.acme, title="Stray")
    writes: list[Callable[[], object]] = [
        lambda: Conversation.objects.update(title="Stray"),
        lambda: Conversation.objects.all().delete(),
        lambda: Conversation.objects.bulk_create([conversation]),
        lambda: Tenant.objects.create(slug="stray", name="Stray"),
        both.acme.save,
        lambda: Membership.objects.filter(pk=uuid.uuid4()).update(role="owner"),
        lambda: LibraryPrompt.objects.update_or_create(tenant=both.acme, title="Stray"),
    ]

    # Deleting collects what there is first, and there is nothing: that statement is never sent.
    assert [_outcome(write) for write in writes] == [
        "without a scope", "(0, {})", *["without a scope"] * 5
    ]  # fmt: skip


def _outcome(write: Callable[[], object]) -> str:
    try:
        with transaction.atomic():
            return str(write())
    except DatabaseError as error:
        return "without a scope" if "without a scope" in str(error) else str(error)


# ── In the scope of one tenant ─────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("model", tenant_models(), ids=lambda model: model.__name__)
def test_in_a_scope_a_model_has_the_rows_of_its_tenant(
    model: type[models.Model], acme: Tenant
) -> None:
    tenants = {getattr(row, "tenant_id", row.pk) for row in model._default_manager.all()}

    assert tenants == {acme.pk}


def test_queries_that_forget_the_tenant_find_one(acme: Tenant) -> None:
    assert [*Conversation.objects.values_list("title", flat=True)] == ["Secret of Acme"]
    assert [*Tenant.objects.values_list("name", flat=True)] == ["Acme"]
    assert Message.objects.aggregate(count=Count("pk"))["count"] == 2
    assert Tenant.objects.annotate(people=Count("memberships")).get().people == 1
    assert User.objects.filter(memberships__role="owner").count() == 1
    assert User.objects.filter(conversations__title__contains="Globex").count() == 0
    assert User.objects.exclude(conversations=None).count() == 1


def test_rows_of_another_tenant_are_not_found_by_their_id(
    theirs: Conversation, acme: Tenant
) -> None:
    with pytest.raises(Conversation.DoesNotExist):
        Conversation.objects.get(pk=theirs.pk)
    with pytest.raises(Conversation.DoesNotExist):
        theirs.refresh_from_db()
    assert Conversation.objects.in_bulk([theirs.pk]) == {}
    assert Message.objects.branch(theirs.head_id) == []
    assert not theirs.messages.exists()
    assert not Generation.objects.filter(conversation=theirs).exists()


def test_joins_lead_to_no_row_of_another_tenant(theirs: Conversation, acme: Tenant) -> None:
    rows = Generation.objects.select_related("conversation__tenant", "prompt", "reply", "user")
    with_memberships = Prefetch("memberships", Membership.objects.select_related("tenant"))
    people = User.objects.prefetch_related(with_memberships, "conversations")

    assert {row.conversation.tenant.name for row in rows} == {"Acme"}
    found = {membership.tenant.name for person in people for membership in person.memberships.all()}
    assert found == {"Acme"}
    assert {c.title for person in people for c in person.conversations.all()} == {"Secret of Acme"}


def test_raw_sql_finds_one_tenant(theirs: Conversation, acme: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT title FROM chat_conversation WHERE true OR tenant_id IS NULL")
        assert cursor.fetchall() == [("Secret of Acme",)]
    assert len(Message.objects.raw("SELECT * FROM chat_message")) == 2


def test_nothing_is_made_for_another_tenant(both: Both, theirs: Conversation, acme: Tenant) -> None:
    prompts = [
        LibraryPrompt(tenant=tenant, title="New", text="x") for tenant in (acme, both.globex)
    ]
    policy = "violates row-level security policy"

    assert policy in refused(lambda: LibraryPrompt.objects.bulk_create(prompts))
    assert policy in refused(lambda: LibraryPrompt.objects.create(tenant=both.globex, title="New"))
    assert policy in refused(lambda: LibraryPrompt.objects.update(tenant=both.globex))
    assert policy in refused(lambda: Conversation.objects.update(tenant=both.globex, head=None))
    assert policy in refused(lambda: Tenant.objects.create(slug="new", name="New"))
    assert policy in refused(
        lambda: Conversation.objects.bulk_create(
            [theirs], update_conflicts=True, unique_fields=["id"], update_fields=["title"]
        )
    )
    assert policy in refused(lambda: theirs.save(force_insert=True))
    assert policy in refused(theirs.save)  # finds none to change, so it adds one


def test_nothing_of_another_tenant_is_changed_or_deleted(
    theirs: Conversation, acme: Tenant
) -> None:
    theirs.title = "Changed"

    assert not Conversation.objects.filter(pk=theirs.pk).update(title="Changed")
    assert not Conversation.objects.bulk_update([theirs], ["title"])
    assert refused(lambda: theirs.save(update_fields=["title"]))
    assert theirs.delete()[0] == 0
    assert Conversation.objects.exclude(tenant=acme).delete()[0] == 0
    with pytest.raises(Conversation.DoesNotExist):
        Conversation.objects.select_for_update().get(pk=theirs.pk)


def test_no_row_refers_to_one_of_another_tenant(theirs: Conversation, acme: Tenant) -> None:
    head = theirs.head
    assert head is not None
    mine = {"tenant": acme, "role": "user", "content": "?"}
    conversation = Conversation.objects.get()
    crossing: list[Callable[[], object]] = [
        lambda: Message.objects.create(conversation_id=theirs.pk, **mine),
        lambda: Message.objects.create(conversation=conversation, parent=head, **mine),
        lambda: Message.objects.update(conversation=theirs),
        lambda: Conversation.objects.update(head=head),
        lambda: Generation.objects.update(prompt=head),
        lambda: Generation.objects.update(reply=head.parent_id),
        lambda: Generation.objects.update(conversation=theirs, request_id=uuid.uuid4()),
    ]

    words = [refused(cross) for cross in crossing]

    assert [word for word in words if "same_tenant" not in word] == []
    assert not any("Globex" in word for word in words)


def test_what_is_reached_through_an_object_read_before_stays_hidden(
    theirs: Conversation, acme: Tenant
) -> None:
    stale = Conversation(pk=theirs.pk, tenant_id=theirs.tenant_id, head_id=theirs.head_id)

    with pytest.raises(Tenant.DoesNotExist):
        _ = stale.tenant
    with pytest.raises(Message.DoesNotExist):
        _ = stale.head
    assert [*stale.messages.all()] == []


def test_an_error_tells_nothing_of_another_tenants_row(both: Both, acme: Tenant) -> None:
    words = refused(lambda: Tenant.objects.update(slug="globex"))

    assert "tenants_tenant_slug_key" in words
    assert str(both.globex.pk) not in words


def test_the_scope_of_one_tenant_follows_that_of_another_on_one_connection(both: Both) -> None:
    seen = []
    with without_scope():
        for tenant in [both.acme, both.globex] * 8:  # prepared statements from the sixth on
            with tenant_scope(tenant):
                seen.append(Conversation.objects.values_list("title", flat=True).get())
                Conversation.objects.update(is_pinned=~F("is_pinned"), active_at=timezone.now())
        with platform_scope("all of them"):
            pinned = Conversation.objects.filter(is_pinned=False).count()

    assert seen == ["Secret of Acme", "Secret of Globex"] * 8
    assert pinned == 2  # each was turned over eight times
