"""Many tenants with many messages, made by the database itself: a million take half a minute.

`python -m tests.bench.crowd ADDRESS MESSAGES` makes one in the database at this address.
Everything has an id that follows from its number. People are dealt out to the tenants one by one,
and conversations to the people: conversation 7 is of person 7, who owns tenant 7. Person 1 is the
platform's administrator as well.
"""

import os
import sys
import uuid
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import django
import psycopg
from django.db import models
from psycopg import sql

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

from chat.models import (  # after django.setup()
    Conversation,
    Deployment,
    DeploymentGrant,
    Generation,
    Message,
)
from tenants.models import Membership, Tenant, User  # as above

# Without checks of references and triggers, which would take most of the time. Superusers only.
UNCHECKED = "SET LOCAL session_replication_role = replica"


@dataclass(frozen=True)
class Crowd:
    """How many of each; `running` and `queued` are the newest generations."""

    tenants: int = 100
    people: int = 2_000
    conversations: int = 50_000
    messages: int = 1_000_000
    generations: int = 100_000
    queued: int = 300
    running: int = 100

    @classmethod
    def of(cls, messages: int) -> "Crowd":
        """A crowd with so many messages; nothing waits or runs in one of less than a million."""
        is_whole = messages >= cls.messages
        return cls(
            conversations=messages // 20,
            messages=messages,
            generations=messages // 10,
            queued=cls.queued if is_whole else 0,
            running=cls.running if is_whole else 0,
        )


def id_of(kind: str, number: int) -> uuid.UUID:
    """The id of this row: `id_of("tenant", 1)`."""
    return uuid.UUID(md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


def gather(connection: "psycopg.Connection[Any]", crowd: Crowd) -> None:
    """Fill the tables, and let the planner count. The connection is a superuser's, in autocommit.

    Every message follows the one before it in its conversation; those of all conversations lie
    mixed on disk, as they would have come.
    """
    with connection.transaction():
        connection.execute(UNCHECKED)
        _gather_people(connection, crowd)
        _gather_conversations(connection, crowd)
        _gather_generations(connection, crowd)
    tables = ", ".join(model._meta.db_table for model in _FILLED)
    connection.execute(f"VACUUM ANALYZE {tables}".encode())


_FILLED: list[type[models.Model]] = [
    *[Tenant, User, Membership, Deployment, DeploymentGrant, Conversation, Message, Generation]
]


def _id(kind: str, number: str) -> str:
    return f"md5('{kind}' || ({number}))::uuid"


def _gather_people(connection: "psycopg.Connection[Any]", crowd: Crowd) -> None:
    one, tenant = _id("deployment", "1"), _id("tenant", f"1 + (n - 1) % {crowd.tenants}")
    fill(
        connection, Deployment, 1,
        id=one, name="'crowd'", label="'Crowd'", kind="'openai'", model="'crowd'",
        context_window="8192",
    )  # fmt: skip
    fill(
        connection, Tenant, crowd.tenants,
        id=_id("tenant", "n"), slug="'crowd-' || n", name="'Crowd ' || n",
    )  # fmt: skip
    fill(
        connection, DeploymentGrant, crowd.tenants,
        id=_id("grant", "n"), tenant_id=_id("tenant", "n"), deployment_id=one, is_default="true",
    )  # fmt: skip
    fill(
        connection, User, crowd.people,
        id=_id("person", "n"), email="'person' || n || '@crowd.example'", password="''",
        is_superuser="n = 1",
    )  # fmt: skip
    fill(
        connection, Membership, crowd.people,
        id=_id("membership", "n"), user_id=_id("person", "n"), tenant_id=tenant,
        role=f"CASE WHEN n <= {crowd.tenants} THEN 'owner' ELSE 'member' END",
    )  # fmt: skip


def _gather_conversations(connection: "psycopg.Connection[Any]", crowd: Crowd) -> None:
    chats, last = crowd.conversations, crowd.messages // crowd.conversations - 1
    of = _Owner(crowd, f"1 + (n - 1) % {chats}")
    fill(
        connection, Conversation, chats,
        id=_id("conversation", "n"), tenant_id=of.tenant, owner_id=of.person,
        title="'Question ' || n", deployment_id=_id("deployment", "1"),
        head_id=_id("message", f"n + {last * chats}"), request_id="gen_random_uuid()",
        active_at="now() - n * interval '1 minute'",
    )  # fmt: skip
    fill(
        connection, Message, (last + 1) * chats,
        id=_id("message", "n"), tenant_id=of.tenant, conversation_id=of.conversation,
        parent_id=f"CASE WHEN n > {chats} THEN {_id('message', f'n - {chats}')} END",
        role=f"CASE (n - 1) / {chats} % 2 WHEN 0 THEN 'user' ELSE 'assistant' END",
        content="repeat('Some words of a message. ', 4 + n % 12)",
    )  # fmt: skip


def _gather_generations(connection: "psycopg.Connection[Any]", crowd: Crowd) -> None:
    chats, ended = crowd.conversations, crowd.generations - crowd.queued - crowd.running
    of = _Owner(crowd, f"1 + (n - 1) % {chats}")
    prompt = f"1 + (n - 1) % {chats} + (n - 1) / {chats} * {2 * chats}"
    fill(
        connection, Generation, crowd.generations,
        id=_id("generation", "n"), tenant_id=of.tenant, conversation_id=of.conversation,
        user_id=of.person, deployment_id=_id("deployment", "1"), prompt_id=_id("message", prompt),
        reply_id=f"CASE WHEN n <= {ended} THEN {_id('message', f'{prompt} + {chats}')} END",
        request_id="gen_random_uuid()", attempt="1",
        status=f"CASE WHEN n <= {ended} THEN 'completed'"
        f" WHEN n <= {ended + crowd.running} THEN 'running' ELSE 'queued' END",
        heartbeat_at="now()", queued_at=f"now() - ({crowd.generations} - n) * interval '1 second'",
    )  # fmt: skip


class _Owner:
    """Expressions for the row's conversation, its person and their tenant."""

    def __init__(self, crowd: Crowd, conversation: str) -> None:
        self.conversation = _id("conversation", conversation)
        self.person = _id("person", f"1 + ({conversation} - 1) % {crowd.people}")
        tenant = f"1 + ({conversation} - 1) % {crowd.people} % {crowd.tenants}"
        self.tenant = _id("tenant", tenant)


def fill(
    connection: "psycopg.Connection[Any]",
    model: type[models.Model],
    count: int,
    /,
    **expressions: str,
) -> None:
    """Insert so many rows; each column by its expression of the number `n`, or its default."""
    values: dict[str, sql.Composable] = {
        str(field.column): sql.SQL(expressions[field.attname])
        if field.attname in expressions
        else _default_of(field)
        for field in model._meta.concrete_fields
    }
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM generate_series(1, {}) AS n")
    connection.execute(
        statement.format(
            sql.Identifier(model._meta.db_table),
            sql.SQL(", ").join([sql.Identifier(column) for column in values]),
            sql.SQL(", ").join(values.values()),
            sql.Literal(count),
        )
    )


def _default_of(field: "models.Field[Any, Any]") -> sql.Composable:
    if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        return sql.SQL("now()")
    return sql.Literal(field.get_default())


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1], autocommit=True) as superuser:
        gather(superuser, Crowd.of(int(sys.argv[2])))
