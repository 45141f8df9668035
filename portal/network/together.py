"""All services at once, each in a thread with a deadline of its own; nothing hangs."""

import logging
import threading
from collections.abc import Callable

from portal.network import inside, outside
from portal.network.findings import Deadline, Findings
from portal.network.inside import Means
from portal.network.plan import Target

logger = logging.getLogger(__name__)
_GRACE_SECONDS = 0.5


def inspect_all(means: Means, *, is_outside: bool, seconds: float) -> list[Findings]:
    """What was found about each service of the plan, in its order; takes about `seconds`."""
    look = outside.inspect if is_outside else inside.inspect
    started = [_start(target, means, look, seconds) for target in means.plan.targets]
    return [_finish(findings, thread) for findings, thread in started]


def _start(
    target: Target, means: Means, look: Callable[[Findings, Means], None], seconds: float
) -> tuple[Findings, threading.Thread]:
    findings = Findings(target, Deadline(seconds))
    # A daemon: what waits for ever in a library is left behind when the command ends.
    thread = threading.Thread(target=_look, args=(findings, means, look), daemon=True)
    thread.start()
    return findings, thread


def _look(findings: Findings, means: Means, look: Callable[[Findings, Means], None]) -> None:
    try:
        look(findings, means)
    except Exception as error:
        logger.exception("check of %s failed", findings.target.service)
        findings.fail("broken-check", f"{type(error).__name__}")


def _finish(findings: Findings, thread: threading.Thread) -> Findings:
    """As it is when the service is done or its time is over."""
    thread.join(findings.deadline.left + _GRACE_SECONDS)
    if not thread.is_alive():
        return findings
    at_the_end = Findings(findings.target, findings.deadline, [*findings.steps], findings.lookup)
    at_the_end.current = findings.current
    at_the_end.fail("too-slow", f"did not end within {findings.deadline.seconds:g} s")
    return at_the_end
