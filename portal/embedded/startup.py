"""The order in which ``manage.py up`` brings everything to life."""

import time
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPException

from portal.embedded import programs, steps
from portal.embedded.errors import EmbeddedError
from portal.embedded.http_status import http_status
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


def prepare_tables(plan: Plan) -> None:
    """Bring the database's tables up to date, for a role that has to keep to them."""
    with plan.console.step("tables"):
        steps.refuse_bypass()
        steps.migrate(plan.logs / "setup.log")


def prepare_pages(plan: Plan) -> list[steps.Account]:
    """Static files and the demo; returns the demo's accounts."""
    var, log = plan.base / "var", plan.logs / "setup.log"
    if steps.needs_static_files(var):
        with plan.console.step("styles and scripts", "up to half a minute the first time"):
            steps.collect_static_files(var, log)
    if not plan.options.demo:
        return []
    with plan.console.step("demo tenants"):
        return steps.create_demo(var, log)


def start_program(child: Child, started: list[Child]) -> None:
    """Start it, and remember that it has to be stopped."""
    started.append(child)
    child.start()


def start_everything(plan: Plan, started: list[Child]) -> list[steps.Account]:
    """All parts, in an order in which none waits for long; returns the demo's accounts."""
    start_servers(plan)
    prepare_tables(plan)
    start_program(programs.worker(plan), started)
    accounts = prepare_pages(plan)
    with plan.console.step("web and worker"):
        start_program(programs.web(plan), started)
        _wait_until_ready(plan, started)
    start_program(programs.beat(plan), started)
    return accounts


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
        return http_status(url, seconds=5) == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
