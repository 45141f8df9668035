"""The order in which ``manage.py up`` brings everything to life."""

import time
import urllib.error
import urllib.request
from collections.abc import Sequence

from portal.embedded import programs, steps
from portal.embedded.errors import EmbeddedError
from portal.embedded.plan import Plan
from portal.embedded.processes import Child

READY_SECONDS = 90.0


def start_servers(plan: Plan) -> None:
    """PostgreSQL, Valkey and the model, which loads while the others start."""
    if plan.model is not None:
        plan.model.start_loading()
    if plan.postgres is not None:
        with plan.console.step("PostgreSQL"):
            plan.postgres.start()
    if plan.valkey is not None:
        with plan.console.step("Valkey"):
            plan.valkey.start()
    if plan.model is not None:
        with plan.console.step("demo model"):
            plan.model.wait_until_loaded()


def prepare_database(plan: Plan) -> list[dict[str, object]]:
    """Tables, static files and the demo; returns the demo's accounts."""
    var, log = plan.base / "var", plan.logs / "setup.log"
    with plan.console.step("tables"):
        steps.migrate(log)
    if steps.needs_static_files(var):
        with plan.console.step("styles and scripts", "up to half a minute the first time"):
            steps.collect_static_files(var, log)
    if not plan.options.demo:
        return []
    with plan.console.step("demo tenants"):
        return steps.create_demo(var, log)


def start_programs(plan: Plan, started: list[Child]) -> None:
    """Web, worker and beat, each added to ``started``; returns when all are ready."""
    with plan.console.step("web, worker, beat"):
        for make in (programs.web, programs.worker, programs.beat):
            child = make(plan)
            started.append(child)
            child.start()
        _wait_until_ready(plan, started)


def _wait_until_ready(plan: Plan, started: Sequence[Child]) -> None:
    url = f"{plan.local_url}/readyz"
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(url):
        for child in started:
            child.raise_if_ended()
        if time.monotonic() > deadline:
            raise EmbeddedError(f"{url} does not say that all is ready; see {plan.logs}/*.log")
        time.sleep(0.2)


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310  # an address of our own
            return True
    except (urllib.error.URLError, OSError):
        return False
