"""The Celery application: `celery -A portal worker` and `celery -A portal beat`."""

import os
import time
from contextlib import suppress
from typing import Any

import kombu.transport.redis
import kombu.utils.functional
from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging, worker_init, worker_ready
from django.conf import settings

from chat import provider, streams
from portal import probe, start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# The celery command has kombu take `time.sleep` before gevent replaces it. While the broker is away
# the worker would sleep in it for up to half a minute at a time, and every answer with it.
kombu.utils.functional.sleep = time.sleep  # type: ignore[attr-defined]  # kombu does not export it


class _QoS(kombu.transport.redis.QoS):
    """Kombu's, which puts tickets that were not acknowledged back when a channel is closed."""

    def restore_unacked(self, client: Any = None) -> None:
        """Put them back; nothing where the channel has lost its broker, and kombu would end the
        worker with an AttributeError. What gets lost so is issued again by the sweep.
        """
        with suppress(AttributeError):
            super().restore_unacked(client)


kombu.transport.redis.Channel.QoS = _QoS

# Room for Celery's own work beside the answers that run at the same time.
SPARE_SLOTS = 20

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(probe.ConsumerStep)


@setup_logging.connect
def leave_logs_alone(**_: Any) -> None:
    """Celery would raise the level of all logs to its own, and no line of ours would be written."""


@celeryd_init.connect
def make_room(conf: Any, **_: Any) -> None:
    """What a worker does at once, where `--concurrency` does not say so."""
    conf.worker_concurrency = settings.CHAT_WORKER_SLOTS + SPARE_SLOTS


@worker_init.connect
def answer_for_worker(**_: Any) -> None:
    """Say from the beginning whether this worker consumes."""
    if settings.PROBE_PORT:
        probe.serve(settings.PROBE_PORT, probe.is_consuming)


@beat_init.connect
def answer_for_beat(**_: Any) -> None:
    """Say from the beginning whether beat ticks."""
    if settings.PROBE_PORT:
        probe.serve(settings.PROBE_PORT, probe.watch_beat())


@worker_init.connect
@beat_init.connect
def refuse_to_start(**_: Any) -> None:
    """End here with a database role that row-level security does not bind."""
    start.wait_until_bound()


@worker_init.connect
def load_provider(**_: Any) -> None:
    """Load what calls models before the first answer waits for it."""
    provider.prepare()


@worker_ready.connect
def note_worker_ready(**_: Any) -> None:
    """A worker that has begun to consume has been heard, before its first sweep."""
    streams.note_worker_heard()
