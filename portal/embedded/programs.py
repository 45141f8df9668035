"""The portal's own processes: web, worker and beat."""

import os
import signal
import sys

from portal import entry
from portal.embedded.plan import Plan
from portal.embedded.processes import Child, Program


def web(plan: Plan) -> Child:
    """The web server."""
    return _child(plan, "web", entry.web(host=plan.options.host, port=plan.port), grace=6.0)


def worker(plan: Plan) -> Child:
    """The worker that calls the model. Whoever presses Ctrl-C waits for no answer to its end."""
    return _child(plan, "worker", entry.worker(), grace=8.0, CHAT_LEAVE_SECONDS="3")


def beat(plan: Plan) -> Child:
    """The clock for repeated tasks."""
    return _child(plan, "beat", entry.beat(), grace=5.0)


def _child(plan: Plan, name: str, arguments: list[str], *, grace: float, **settings: str) -> Child:
    """A Python program in the clone's folder; it is killed outright if we are.

    `settings` hold where the environment says nothing else.
    """
    program = Program(
        name,
        [sys.executable, *arguments],
        log=plan.logs / f"{name}.log",
        environment={**settings, **os.environ},
        directory=plan.base,
        death_signal="KILL",
        stop_signals=((signal.SIGTERM, grace),),
    )
    return Child(program)
