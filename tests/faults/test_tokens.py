"""Web, worker and beat without any secret: their tokens live five seconds, and nothing fails."""

import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from chat.models import Deployment
from portal import entry
from portal.embedded.processes import Child, Program
from tenants.models import Membership
from tests import servers
from tests.chat.answers import ask, text_of, wait_for_end
from tests.chat.listener import cookie_of, follow
from tests.cloud.database_tokens import DatabaseRole
from tests.cloud.identity import OPENAI, POSTGRES, PREFIX, REDIS, Identity
from tests.cloud.managed_redis import ManagedRedis
from tests.stack import Stack, environment_for, wait_until
from tests.upstream import Reply, Upstream

LONG = " ".join(f"word{number}" for number in range(40))
PROCESSES = ("web", "worker", "beat")


class TokenStack(Stack):
    """Each process has an identity of its own, and no password or key."""

    def __init__(self, folder: Path, identity: Identity, managed: ManagedRedis) -> None:
        self.identity, self.managed = identity, managed
        self.roles = {name: self._role(name) for name in PROCESSES}
        super().__init__(folder)
        self.worker = self._child("worker", [sys.executable, *entry.worker()])

    def _role(self, name: str) -> DatabaseRole:
        role = DatabaseRole(f"id-atrium-{name}", f"client-of-{name}")
        self.identity.known_clients.add(f"client-of-{name}")
        self.identity.told.append(role.learn)
        return role

    def _child(self, name: str, command: list[str]) -> Child:
        environment = environment_for(
            DATABASE_URL=self.roles[name].url, DATABASE_AUTH="entra",
            REDIS_URL=self.managed.url, REDIS_AUTH="entra",
            OPENAI_API_KEY="", AZURE_OPENAI_API_KEY="", PUBLIC_URL=self.url,
        ) | self.identity.environment | {"AZURE_CLIENT_ID": f"client-of-{name}"}  # fmt: skip
        log = self._folder / f"{name}.log"
        return Child(Program(name, command, log=log, environment=environment))


@pytest.fixture
def tokens(transactional_db: None, tmp_path: Path) -> Iterator[TokenStack]:
    """The running portal with its identities."""
    with (
        # Long enough for a slow machine: the broker is asked for a second at a time.
        Identity(life_seconds=5) as identity,
        ManagedRedis(identity, servers.valkey.url) as managed,
        TokenStack(tmp_path, identity, managed) as stack,
    ):
        yield stack


def test_streams_worker_database_and_model_go_on_through_several_tokens(
    tokens: TokenStack, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    deployment.kind, deployment.endpoint = Deployment.Kind.AZURE, upstream.origin
    deployment.save()
    before = len({*tokens.managed.signed_in})

    upstream.next(Reply(LONG, tokens_per_second=4.0))
    first = ask(member)
    with follow(tokens.url, member, first) as listener:
        assert listener.wait_for_end()["status"] == "completed"
    lose_database_connections()
    second = ask(member)
    for generation in (first, second):
        wait_for_end(generation)
    page = httpx2.get(f"{tokens.url}/acme/", headers={"Cookie": cookie_of(member)})

    assert (listener.text, text_of(first)) == (LONG, LONG)
    assert (second.status, page.status_code) == ("completed", 200)
    assert len({*tokens.managed.signed_in}) >= before + 5
    assert tokens.managed.refused == 0
    assert all(len(tokens.identity.issued_for(each)) > 4 for each in (POSTGRES, REDIS))
    sent = [request.authorization.removeprefix("Bearer ") for request in upstream.requests]
    issued = [token.value for token in tokens.identity.issued_for(OPENAI)]
    assert len(sent) == 2
    assert sent == issued, "the second call has a token of its own: the first one's has expired"
    assert complaints(tokens) == []


_OF_OURS = "FROM pg_stat_activity WHERE starts_with(usename, 'id-atrium-') AND backend_start < %s"
_UNUSED = " AND state = 'idle' AND state_change < clock_timestamp() - interval '0.5 seconds'"


def lose_database_connections() -> None:
    """Those that the identities have now, each while nobody uses it."""
    with servers.superuser_connection() as connection:
        (now,) = connection.execute("SELECT clock_timestamp()").fetchone() or ()

        def are_lost() -> bool:
            connection.execute(f"SELECT pg_terminate_backend(pid) {_OF_OURS}{_UNUSED}", [now])
            return connection.execute(f"SELECT {_OF_OURS}", [now]).fetchone() is None

        wait_until(are_lost, what="the end of all connections")


def complaints(stack: TokenStack) -> list[str]:
    """Lines of the logs that complain, or hold a token."""
    words = (PREFIX, "Traceback", "onnection to broker lost", "WRONGPASS", '"error"')
    return [
        f"{name}: {line}"
        for name in PROCESSES
        for line in stack.log(name).splitlines()
        if any(word in line for word in words)
    ]
