"""The portal's own processes: web, worker and beat."""

import signal
import sys

from django.conf import settings

from portal.embedded.plan import Plan
from portal.embedded.processes import Child, Program

# Room for Celery's own work beside the answers that run at the same time.
SPARE_SLOTS = 20


def web(plan: Plan) -> Child:
    """The web server. Open answer streams get three seconds to end when it stops."""
    arguments = ["portal.asgi:application", "--host", plan.options.host, "--port", str(plan.port)]
    arguments += ["--no-access-log", "--no-server-header", "--timeout-graceful-shutdown", "3"]
    # Browsers keep their connection while they read an answer.
    arguments += ["--timeout-keep-alive", "75"]
    return _child(plan, "web", ["uvicorn", *arguments], grace=6.0)


def worker(plan: Plan) -> Child:
    """The worker that calls the model."""
    concurrency = str(settings.CHAT_WORKER_SLOTS + SPARE_SLOTS)
    arguments = ["-A", "portal", "worker", "--pool", "gevent", "--concurrency", concurrency]
    arguments += ["--queues", "chat,default", "--without-gossip", "--without-mingle"]
    arguments += ["--without-heartbeat"]
    return _child(plan, "worker", ["celery", *arguments], grace=8.0)


def beat(plan: Plan) -> Child:
    """The clock for repeated tasks."""
    schedule = plan.base / "var" / "beat-schedule"
    arguments = ["-A", "portal", "beat", "--schedule", str(schedule), "--pidfile", ""]
    return _child(plan, "beat", ["celery", *arguments], grace=5.0)


def _child(plan: Plan, name: str, module: list[str], *, grace: float) -> Child:
    """A Python program in the clone's folder; it is killed outright if we are."""
    program = Program(
        name,
        [sys.executable, "-m", *module],
        log=plan.logs / f"{name}.log",
        directory=plan.base,
        death_signal="KILL",
        stop_signals=((signal.SIGTERM, grace),),
    )
    return Child(program)
