"""``manage.py up``: start every part in order, watch them, and stop them in the reverse order."""

import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from portal.embedded import logs
from portal.embedded.plan import Plan
from portal.embedded.processes import Child
from portal.embedded.report import print_report
from portal.embedded.startup import start_everything
from portal.embedded.watch import Watched

LOOK_SECONDS = 0.25
TRIM_SECONDS = 30.0
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody asked us to stop. No Exception, so that no handler of errors takes it for one."""


def run(plan: Plan) -> None:
    """Return after a request to stop; raise EmbeddedError when a part cannot run.

    Only processes that were started here are ever stopped.
    """
    programs: list[Child] = []
    _listen()
    try:
        _start(plan, programs)
        _watch(plan, programs)
    except Stopped:
        plan.console.say("\nStopping ...")
    finally:
        for number in STOPPING:
            signal.signal(number, signal.SIG_IGN)
        _stop(plan, programs)
        plan.lock.release()
    plan.console.say("Stopped. Data and logs stay in var/.")


def _listen() -> None:
    """Stop when asked to. A SIGHUP that nohup has turned off stays off."""
    for number in STOPPING:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise_stopped)


def _start(plan: Plan, programs: list[Child]) -> None:
    started = time.monotonic()
    accounts = start_everything(plan, programs)
    print_report(plan, plan.console, accounts, time.monotonic() - started)


def _watch(plan: Plan, programs: Sequence[Child]) -> NoReturn:
    """Until somebody asks us to stop, or a database cannot be started again."""
    say = plan.console.say
    watched = [Watched(server.current_process, server.restart, say) for server in plan.servers]
    watched += [Watched(child.itself, child.start, say) for child in programs]
    trim_at = 0.0
    while True:
        for one in watched:
            one.look()
        if time.monotonic() > trim_at:
            trim_at = time.monotonic() + TRIM_SECONDS
            logs.trim(plan.logs)
        time.sleep(LOOK_SECONDS)


def _stop(plan: Plan, programs: Sequence[Child]) -> None:
    """First who asks, then who answers: web, worker and beat together, then the servers."""
    for child in programs:
        child.ask_to_stop()
    for child in programs:
        child.stop()
    for server in plan.servers:
        server.stop()


def _raise_stopped(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise Stopped
