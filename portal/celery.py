"""The Celery application: `celery -A portal worker` and `celery -A portal beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

from chat import streams

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_ready.connect
def note_worker_ready(**_: Any) -> None:
    """A worker that has begun to consume has been heard, before its first sweep."""
    streams.note_worker_heard()
