"""Conversations and the tree of their messages."""

import uuid
from datetime import UTC, datetime
from typing import NamedTuple, Self

from django.db import connection, models
from django.db.models import Q

from chat.models.catalogue import Deployment
from tenants.models import Membership, Tenant, User


class ConversationPage(NamedTuple):
    """One page of a list: its rows, and where the next one starts ("" at the end)."""

    rows: list["Conversation"]
    next_cursor: str


class ConversationQuerySet(models.QuerySet["Conversation"]):
    """Conversations, narrowed."""

    def visible_to(self, member: Membership) -> Self:
        """Conversations that this member may read: their own, in this tenant."""
        return self.filter(tenant=member.tenant_id, owner=member.user_id)

    def titled(self, words: str) -> Self:
        """Those whose title contains every one of these words."""
        query = self
        for word in words[:200].split()[:10]:
            query = query.filter(title__icontains=word)
        return query

    def page(self, *, after: str = "", size: int = 40) -> ConversationPage:
        """Up to `size` conversations by recency, those after the cursor of an earlier page.

        As much of each as a list shows.
        The order is by keyset: rows that move up meanwhile are neither repeated nor lost below. A
        cursor that is none starts at the top.
        """
        query = self.only("title", "active_at", "is_pinned").order_by("-active_at", "-id")
        if position := _parse_cursor(after):
            at, pk = position
            query = query.filter(Q(active_at__lt=at) | Q(active_at=at, id__lt=pk))
        rows = list(query[: size + 1])
        last = rows[size - 1] if len(rows) > size else None
        return ConversationPage(rows[:size], last.cursor if last else "")


def _parse_cursor(cursor: str) -> tuple[datetime, uuid.UUID] | None:
    at, _, pk = cursor.partition("~")
    try:
        return datetime.fromisoformat(at).astimezone(UTC), uuid.UUID(pk)
    except (ValueError, OverflowError):
        return None


class Conversation(models.Model):
    """A thread of messages between one member and the models, in one tenant.

    Its owner's alone. Starts with the first message sent; deleted by its owner with all messages.

    Here and below, a foreign key to what belongs to a tenant has no constraint of Django's: the
    migrations give it one that carries the tenant, so that no reference leaves it.
    """

    class TitleBy(models.TextChoices):
        """Who gave it its title: a model replaces first words only, and a person anything."""

        FIRST_WORDS = "words"
        MODEL = "model"
        PERSON = "person"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="conversations")
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(max_length=200)
    title_by = models.CharField(
        max_length=10,
        choices=TitleBy.choices,
        default=TitleBy.FIRST_WORDS,
        db_default=TitleBy.PERSON,  # what the version before has written, people may have renamed
    )
    deployment = models.ForeignKey(
        Deployment, on_delete=models.PROTECT, related_name="conversations"
    )
    system_prompt = models.TextField(blank=True)
    is_pinned = models.BooleanField(default=False)
    is_archived = models.BooleanField(default=False)
    head = models.ForeignKey(
        "chat.Message", null=True, on_delete=models.SET_NULL, related_name="+", db_constraint=False,
        help_text="The last message of the branch that is shown.",
    )  # fmt: skip
    request_id = models.UUIDField(help_text="The client's id of the send that started it.")
    created_at = models.DateTimeField(auto_now_add=True)
    active_at = models.DateTimeField(help_text="When it was last written to.")

    objects = ConversationQuerySet.as_manager()

    class Meta:
        indexes = [
            # The list of a member's conversations by recency, by keyset.
            models.Index(
                fields=["tenant", "owner", "-active_at", "-id"], name="conversation_by_recency"
            ),
        ]
        constraints = [
            # A repeated first send starts no second conversation.
            models.UniqueConstraint(
                fields=["tenant", "owner", "request_id"], name="one_conversation_per_request"
            ),
        ]

    def __str__(self) -> str:
        # Not the title, which is a person's text and not for administrators.
        return f"conversation {self.pk}"

    @property
    def cursor(self) -> str:
        """Where a list page ends that ends with this conversation."""
        return f"{self.active_at.isoformat()}~{self.pk}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages, by their place in the tree."""

    def branch(self, head_id: uuid.UUID | None, *, limit: int = 500) -> list["Message"]:
        """The `limit` last messages of the branch that ends with `head_id`, oldest first."""
        if head_id is None:
            return []
        table = self.model._meta.db_table
        # By name: a prepared `*` would fail once a later version has added a column.
        columns = [field.column for field in self.model._meta.concrete_fields if field.column]
        of_message = ", ".join(f"m.{column}" for column in columns)
        rows = self.raw(
            f"""
            WITH RECURSIVE branch AS (
                SELECT {of_message}, 1 AS depth FROM {table} m WHERE m.id = %s
                UNION ALL
                SELECT {of_message}, b.depth + 1 FROM {table} m JOIN branch b ON m.id = b.parent_id
                WHERE b.depth < %s
            )
            SELECT {", ".join(columns)} FROM branch ORDER BY depth DESC
            """,  # noqa: S608  # the names are the model's
            [head_id, limit],
        )
        return list(rows)

    def branch_length(self, head_id: uuid.UUID) -> int:
        """How many messages the branch that ends with `head_id` has."""
        table = self.model._meta.db_table
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH RECURSIVE branch AS (
                    SELECT parent_id FROM {table} WHERE id = %s
                    UNION ALL
                    SELECT m.parent_id FROM {table} m JOIN branch b ON m.id = b.parent_id
                )
                SELECT count(*) FROM branch
                """,  # noqa: S608  # as above
                [head_id],
            )
            return int(cursor.fetchone()[0])


class Message(models.Model):
    """What one side said. A child answers or follows its parent, so edits make branches.

    Written once; goes with its conversation.
    """

    class Role(models.TextChoices):
        """Who said it."""

        USER = "user"
        ASSISTANT = "assistant"
        SYSTEM = "system"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(
        Conversation, on_delete=models.CASCADE, related_name="messages", db_constraint=False
    )
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.CASCADE, related_name="children", db_constraint=False
    )
    role = models.CharField(max_length=10, choices=Role.choices)
    content = models.TextField()
    deployment = models.ForeignKey(
        Deployment, null=True, on_delete=models.PROTECT, related_name="+",
        help_text="Which deployment answered.",
    )  # fmt: skip
    input_tokens = models.PositiveIntegerField(null=True)
    output_tokens = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        indexes = [
            # Reports: what a tenant's members sent in a period, and in which conversations.
            models.Index(
                fields=["tenant", "created_at"],
                include=["conversation"],
                condition=Q(role="user"),
                name="message_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} message {self.pk}"
