"""`GET /healthz` on PROBE_PORT, for processes that serve nobody: worker, beat, and a release.

A worker is well while its consumer goes round, connected to the broker, and its pool takes work;
beat while it sends. 200 then, else 503 with the reason. That the process lives proves neither.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from celery import bootsteps
from celery.signals import after_task_publish

from portal.embedded import ports

HEALTH_PATH = "/healthz"
ALL_ADDRESSES = "0.0.0.0"  # noqa: S104  # the platform's health check comes from outside
# The consumer looks up every two seconds; more than that means that it is stuck.
ROUND_TRIP_SECONDS = 5.0
# Beat has something to send every three seconds (CELERY_BEAT_SCHEDULE).
SILENCE_SECONDS = 10.0
REQUEST_SECONDS = 10.0


class Health(NamedTuple):
    """What is answered: 200 when `is_well`, else 503, with the facts as JSON."""

    is_well: bool
    facts: dict[str, Any]


Ask = Callable[[], Health]


def serve(port: int, ask: Ask) -> ThreadingHTTPServer:
    """Answer on this port from a thread of our own; ends the process where that cannot be.

    In a gevent worker the thread is a greenlet: it answers only while the others give way.
    """
    handler = type("Handler", (_Handler,), {"ask": staticmethod(ask)})
    try:
        server = _Server((ALL_ADDRESSES, port), handler)
    except OSError as error:
        holder = ports.holder(port)
        why = f"taken by {holder}" if holder else error.strerror
        sys.exit(f"Atrium does not start: PROBE_PORT {port} cannot be used: {why}")
    threading.Thread(target=server.serve_forever, name="probe", daemon=True).start()
    return server


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _Handler(BaseHTTPRequestHandler):
    ask: Ask
    timeout = REQUEST_SECONDS
    server_version = "Atrium"
    sys_version = ""

    def do_GET(self) -> None:
        """`/healthz`; anything else is not there."""
        if self.path.partition("?")[0] != HEALTH_PATH:
            self._answer(404, {})
            return
        health = self.ask()
        self._answer(200 if health.is_well else 503, health.facts)

    def log_message(self, *_: Any) -> None:
        """A line for each look would say nothing."""

    def _answer(self, status: int, facts: dict[str, Any]) -> None:
        body = json.dumps(facts).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Consuming:
    """What the probe of a worker knows: the consumer, while it is connected."""

    consumer: Any = None
    has_begun = False


class ConsumerStep(bootsteps.StartStopStep):
    """Celery's own word for it: begun when the consumer has connected, stopped when it is lost."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def start(self, parent: Any) -> None:
        """The consumer is connected, and takes tasks from now on."""
        Consuming.consumer = parent
        Consuming.has_begun = True

    def stop(self, parent: Any) -> None:  # noqa: ARG002
        """The connection is lost, or the worker ends."""
        Consuming.consumer = None


def is_consuming() -> Health:
    """Whether this worker takes tasks from the broker and can run them."""
    reason = _why_not_consuming()
    return Health(not reason, {"consuming": not reason} | ({"reason": reason} if reason else {}))


def _why_not_consuming() -> str:
    consumer = Consuming.consumer
    if consumer is None or consumer.connection is None:
        return "no connection to the broker" if Consuming.has_begun else "it has not begun"
    if not _comes_back(consumer.call_soon):
        return "the consumer does not go round"
    if consumer.pool.is_green and not _comes_back(_runner(consumer.pool)):
        return "the pool takes no work"
    return ""


def _runner(pool: Any) -> Callable[[Callable[[], object]], object]:
    """Runs something in the pool; waits where it is full."""
    return lambda work: pool.apply_async(work, callback=lambda _: None)


def _comes_back(send: Callable[[Callable[[], object]], object]) -> bool:
    """Whether a call that is sent to another part of the worker is made before long."""
    made = threading.Event()
    threading.Thread(target=send, args=[made.set], daemon=True).start()
    return made.wait(ROUND_TRIP_SECONDS)


class Ticking:
    """When beat last gave a task to the broker; at first, when it began."""

    sent_at = 0.0

    def note(self, **_: Any) -> None:
        """A task has been sent."""
        self.sent_at = time.monotonic()

    def is_ticking(self) -> Health:
        """Whether something was sent within the last seconds."""
        silent_seconds = time.monotonic() - self.sent_at
        if self.sent_at and silent_seconds < SILENCE_SECONDS:
            return Health(is_well=True, facts={"ticking": True})
        silence = f"nothing sent for {silent_seconds:.0f} seconds" if self.sent_at else ""
        return Health(
            is_well=False, facts={"ticking": False, "reason": silence or "nothing sent yet"}
        )


def watch_beat() -> Ask:
    """Note what beat sends from now on; returns what its probe asks."""
    ticking = Ticking()
    after_task_publish.connect(ticking.note, weak=False)
    return ticking.is_ticking
