"""The health paths: what they say, and that nothing stands before them."""

import pytest
from django.test import Client, override_settings

from chat import streams
from chat.streams import connection as redis_connection

pytestmark = pytest.mark.django_db


def test_ready_once_a_worker_has_been_heard(client: Client) -> None:
    redis_connection.client().delete("atrium:worker-heard")
    before = client.get("/readyz", headers={"Host": "10.0.0.4"})
    streams.note_worker_heard()
    after = client.get("/readyz", headers={"Host": "10.0.0.4"})

    assert before.status_code == 503
    assert before.json() == {"database": True, "redis": True, "worker": False}
    assert after.status_code == 200


def test_not_ready_without_redis(client: Client) -> None:
    redis_connection.client.cache_clear()
    with override_settings(REDIS_URL="redis://127.0.0.1:9/0"):
        answer = client.get("/readyz")
    redis_connection.client.cache_clear()

    assert answer.status_code == 503
    assert answer.json() == {"database": True, "redis": False, "worker": False}


def test_every_other_page_checks_the_host(client: Client) -> None:
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
