"""Much work for two tenants at once on a pool of two connections, whose scopes must not leak.

`python -m tests.faults.scopes_under_load THREADS ROUNDS` with the application's own environment and
DATABASE_POOL_SIZE=2; the database has what tests/tenants/both.py makes. Prints JSON: how often each
kind of work was done, and everything that was wrong.
"""

import asyncio
import json
import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http import HTTPStatus

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.db import DatabaseError, connection, connections  # noqa: E402  # after django.setup()
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from chat import services  # noqa: E402
from chat.models import Conversation, Generation, Message  # noqa: E402
from tenants.models import Membership, Tenant  # noqa: E402
from tenants.scope import platform_scope, tenant_scope, tenants_scope  # noqa: E402
from tests.faults.pool import scopes_left  # noqa: E402


class Wrong(Exception):
    """Something was seen that is another tenant's."""


class Person:
    """An owner's browser, and jobs for their tenant; what is right for them to see."""

    def __init__(self, membership: Membership, generation: uuid.UUID) -> None:
        self.tenant = membership.tenant
        self.generation = generation
        self.title = f"Secret of {self.tenant.name}"
        self.browser = Client(headers={"Host": "127.0.0.1"})
        self.browser.force_login(membership.user)

    def read_page(self) -> None:
        """A page of their tenant, with the list of conversations."""
        text = self._get("chat:new_conversation").decode()
        if text.count("Secret of ") != text.count(self.title) or self.title not in text:
            raise Wrong(f"a page of {self.tenant} shows others' conversations")

    def send_nothing(self) -> None:
        """A form that is refused."""
        address = reverse("chat:start_conversation", args=[self.tenant.slug])
        response = self.browser.post(address, {"message": " ", "request_id": str(uuid.uuid4())})
        if response.status_code == HTTPStatus.CREATED or "Secret of" not in response.text:
            raise Wrong(f"an empty message was answered with {response.status_code}")

    def read_admin(self) -> None:
        """A page of the admin."""
        text = self.browser.get(reverse("admin:index")).text
        if any(f"{name}</" in text for name in {"Acme", "Globex"} - {self.tenant.name}):
            raise Wrong(f"the admin shows {self.tenant} others' names")

    def read_stream(self) -> None:
        """The stream of an answer that has ended."""
        stream = self.browser.get(self._stream()).streaming_content  # type: ignore[attr-defined]  # of this response

        async def read() -> bytes:
            return b"".join([part async for part in stream])

        if b"Yes." not in asyncio.run(read()):
            raise Wrong(f"the stream of {self.tenant} is another one")

    def follow_silence(self) -> None:
        """What an open stream asks while the model is silent."""
        generation = Generation(pk=self.generation, tenant_id=self.tenant.pk, status="running")
        frame = services.following._end_or_heartbeat(generation)
        if b"Yes." not in frame:
            raise Wrong(f"the stream of {self.tenant} is another one")

    def count(self) -> None:
        """A job whose query names no tenant."""
        with tenant_scope(self.tenant):
            self._look()

    def fail(self) -> None:
        """A job that fails on the way."""
        with suppress(ZeroDivisionError), platform_scope("a test"), tenants_scope([self.tenant]):
            self._look()
            raise ZeroDivisionError

    def be_cancelled(self) -> None:
        """A job whose statement takes too long."""
        with suppress(DatabaseError), tenant_scope(self.tenant), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', '5ms', true)")
            cursor.execute("SELECT pg_sleep(10)")
            raise Wrong("a statement was not cancelled")

    def lose_the_connection(self) -> None:
        """A job whose connection the server ends."""
        with suppress(DatabaseError), tenant_scope(self.tenant), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            raise Wrong("a connection was not ended")

    def look_unscoped(self) -> None:
        """A job that has forgotten its scope."""
        if Conversation.objects.exists() or Message.objects.exists():
            raise Wrong("rows were seen without a scope")

    def _look(self) -> None:
        titles = [*Conversation.objects.values_list("title", flat=True)]
        if titles != [self.title]:
            raise Wrong(f"in the scope of {self.tenant}: {titles}")

    def _get(self, name: str) -> bytes:
        return bytes(self.browser.get(reverse(name, args=[self.tenant.slug])).content)

    def _stream(self) -> str:
        return reverse("chat:stream_generation", args=[self.tenant.slug, self.generation])


_WORK: list[Callable[[Person], None]] = [
    *[Person.read_page] * 4,
    *[Person.count] * 4,
    *[Person.look_unscoped] * 3,
    Person.send_nothing, Person.read_admin, Person.read_stream, Person.follow_silence,
    Person.fail, Person.be_cancelled, Person.lose_the_connection,
]  # fmt: skip


def work(persons: list[Person], seed: int, rounds: int) -> tuple[Counter[str], list[str]]:
    """So many pieces of work in one thread, mixed by chance; each gives its connection back."""
    chance, done, wrong = random.Random(seed), Counter[str](), list[str]()
    for _ in range(rounds):
        task = chance.choice(_WORK)
        try:
            task(chance.choice(persons))
        except Exception as error:  # noqa: BLE001  # the test looks at it
            wrong.append(f"{task.__name__}: {type(error).__name__}: {error}")
        wrong += [f"left after {task.__name__}: {scope}" for scope in scopes_left(most=1)]
        done[task.__name__] += 1
    return done, wrong


def main(threads: int, rounds: int) -> None:
    with platform_scope("who there is"):
        owners = Membership.objects.filter(role="owner").select_related("user", "tenant")
        generations = dict(Generation.objects.values_list("tenant", "pk"))
        assert Tenant.objects.count() == len(owners)
    persons = [Person(owner, generations[owner.tenant_id]) for owner in owners]
    connections.close_all()
    with ThreadPoolExecutor(threads) as pool:
        results = [*pool.map(lambda seed: work(persons, seed, rounds), range(threads))]
    done = sum((done for done, _ in results), Counter[str]())
    print(json.dumps({"done": done, "wrong": [text for _, wrong in results for text in wrong]}))
    connection.close_pool()  # type: ignore[attr-defined]  # as above


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
