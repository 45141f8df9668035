"""The Celery application: `celery -A portal worker` and `celery -A portal beat`."""

import os
import time
from typing import Any

import kombu.utils.functional
from celery import Celery
from celery.signals import beat_init, worker_init, worker_ready

from chat import streams
from portal import start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

# The celery command has kombu take `time.sleep` before gevent replaces it. While the broker is away
# the worker would sleep in it for up to half a minute at a time, and every answer with it.
kombu.utils.functional.sleep = time.sleep  # type: ignore[attr-defined]  # kombu does not export it

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse_to_start(**_: Any) -> None:
    """End here with a database role that row-level security does not bind."""
    start.wait_until_bound()


@worker_ready.connect
def note_worker_ready(**_: Any) -> None:
    """A worker that has begun to consume has been heard, before its first sweep."""
    streams.note_worker_heard()
