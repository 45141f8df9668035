"""The process's Redis client, the names of keys, and whether a worker has been heard."""

import logging
import uuid
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from chat.streams.credentials import blocking_options

logger = logging.getLogger(__name__)

_WORKER_KEY = "atrium:worker-heard"
_WORKER_HEARD_SECONDS = 30


def stream_key(tenant_id: uuid.UUID, generation_id: uuid.UUID) -> str:
    """The name of a generation's stream."""
    return f"atrium:{tenant_id}:generation:{generation_id}"


@cache
def client() -> "redis.Redis":
    """The blocking client. Its timeouts are short: the relay may fail, the answer may not."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        protocol=2,
        socket_timeout=2,
        socket_connect_timeout=1,
        max_connections=64,
        retry=Retry(NoBackoff(), 0),
        **blocking_options(),
    )


def note_worker_heard() -> None:
    """Remember that a worker does its work. Never raises."""
    try:
        client().set(_WORKER_KEY, b"1", ex=_WORKER_HEARD_SECONDS)
    except redis.RedisError as error:
        logger.warning("worker presence not written: %s", type(error).__name__)


def is_worker_heard() -> bool | None:
    """Whether a worker has been heard within 30 seconds; None when Redis does not answer."""
    try:
        return bool(client().exists(_WORKER_KEY))
    except redis.RedisError as error:
        logger.warning("redis does not answer: %s", type(error).__name__)
        return None
