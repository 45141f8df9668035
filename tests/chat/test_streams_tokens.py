"""Streams and broker with tokens: connections sign in again before theirs expires."""

import asyncio
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import kombu
import pytest
import redis
from django.conf import settings
from django.test import override_settings

from chat import events, streams
from chat.streams import connection
from portal import azure
from tests import servers
from tests.cloud.certificates import Authority
from tests.cloud.fixtures import forget_tokens, identity
from tests.cloud.identity import PREFIX, REDIS, Identity
from tests.cloud.managed_redis import ManagedRedis
from tests.stack import wait_until

__all__ = ["forget_tokens", "identity"]


@pytest.fixture
def managed(identity: Identity) -> Iterator[ManagedRedis]:
    """Redis as Azure has it; its tokens live for three seconds."""
    identity.life_seconds = 3
    with ManagedRedis(identity, servers.valkey.url) as managed, _told_of(managed):
        connection.client.cache_clear()
        yield managed
        connection.client().close()
    connection.client.cache_clear()


def _told_of(managed: ManagedRedis) -> override_settings:
    return override_settings(REDIS_URL=managed.url, REDIS_AUTH="entra")


def for_some_lives(managed: ManagedRedis, use: Callable[[], object]) -> None:
    """Use it until the third token is in use."""
    wait_until(lambda: bool(use()) and len({*managed.signed_in}) >= 3, what="three tokens")


def test_a_connection_in_use_is_never_closed_by_the_end_of_its_token(managed: ManagedRedis) -> None:
    for_some_lives(managed, connection.client().ping)

    assert (managed.cut, managed.refused) == (0, 0)


def test_a_connection_that_lay_idle_too_long_is_made_anew(managed: ManagedRedis) -> None:
    connection.client().ping()
    wait_until(lambda: managed.cut == 1)

    assert connection.client().ping()
    assert len({*managed.signed_in}) == 2


def test_without_a_token_redis_is_away_and_no_more(
    managed: ManagedRedis, identity: Identity, caplog: pytest.LogCaptureFixture
) -> None:
    identity.known_clients.clear()

    assert streams.is_worker_heard() is None
    assert PREFIX not in caplog.text


def test_a_refused_token_is_shown_nowhere(
    managed: ManagedRedis, identity: Identity, caplog: pytest.LogCaptureFixture
) -> None:
    azure.redis_token()
    identity.issued.clear()  # as if another had given it

    with pytest.raises(redis.AuthenticationError) as refused:
        connection.client().ping()

    assert PREFIX not in str(refused.value)
    assert PREFIX not in caplog.text
    assert managed.refused == 1


def test_a_stream_is_followed_through_several_tokens(
    managed: ManagedRedis, caplog: pytest.LogCaptureFixture
) -> None:
    """Quietly at first: the reader is blocked when its first token ends."""
    key = connection.stream_key(uuid.uuid4(), uuid.uuid4())

    async def follow() -> list[bytes]:
        seen: list[bytes] = []
        writing = asyncio.create_task(_write(key, managed))
        async for entries in streams.follow(key):
            seen += [entry.event.data for entry in entries]
            if seen and seen[-1] == b"end":
                break
        await writing
        return seen

    seen = asyncio.run(follow())

    assert seen == [str(number).encode() for number in range(len(seen) - 1)] + [b"end"]
    assert len({*managed.signed_in}) >= 3
    assert managed.refused == 0
    assert not caplog.records, "nothing was wrong"


async def _write(key: str, managed: ManagedRedis) -> None:
    await asyncio.to_thread(wait_until, lambda: managed.cut >= 1)
    number = 0
    while len({*managed.signed_in}) < 4:
        await asyncio.to_thread(_add, key, str(number).encode())
        number += 1
    await asyncio.to_thread(_add, key, b"end")


def _add(key: str, data: bytes) -> None:
    with redis.Redis.from_url(servers.valkey.url) as direct:
        direct.xadd(key, {b"a": b"1", b"e": events.SNAPSHOT.encode(), b"d": data})
    time.sleep(0.02)


def test_the_broker_goes_on_through_several_tokens(managed: ManagedRedis) -> None:
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_retries": 3}
    name = f"tests-{uuid.uuid4()}"
    with kombu.Connection(
        managed.url, transport="chat.streams.broker:Transport", transport_options=options
    ) as broker, broker.SimpleQueue(name) as queue:  # fmt: skip
        sent: list[str] = []
        while len({*managed.signed_in}) < 4:
            sent.append(str(len(sent)))
            queue.put(sent[-1])
            message = queue.get(timeout=5)
            assert message.payload == sent[-1]
            message.ack()

    assert (managed.cut, managed.refused) == (0, 0)


@pytest.mark.parametrize(
    ("names", "expired", "is_taken"),
    [(["127.0.0.1"], False, True), (["redis.example"], False, False), (["127.0.0.1"], True, False)],
    ids=["right", "of another name", "expired"],
)
def test_the_certificate_of_redis_is_checked(
    identity: Identity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    expired: bool,
    is_taken: bool,
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    certificate = authority.issue(*names, expired=expired)
    managed = ManagedRedis(identity, servers.valkey.url, certificate=certificate)
    with managed, _told_of(managed):
        connection.client.cache_clear()
        answers = [_does(connection.client().ping), _does(_broker(managed).connect)]
        connection.client().close()

    connection.client.cache_clear()
    assert answers == [is_taken, is_taken]
    assert bool(identity.issued_for(REDIS)) == is_taken  # no token goes to a stranger


def _broker(managed: ManagedRedis) -> kombu.Connection:
    tls = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return kombu.Connection(managed.url, transport="chat.streams.broker:Transport", ssl=tls)


def _does(act: Callable[[], object]) -> bool:
    try:
        act()
    except (OSError, redis.RedisError, kombu.exceptions.OperationalError):
        return False
    return True
