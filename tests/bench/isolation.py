"""What keeping tenants apart in the database costs: list and send, with policies and without.

In a database with a hundred other tenants, in turns, so that what drifts meets both alike.
"""

import json
import sys

import psycopg

from portal.embedded.postgres import DATABASE
from tests.bench.levels import Driver, percentile
from tests.bench.stack import Stack, run
from tests.bench.switch import without_policies

USERS = 2
TURNS = 3
HEAD = (
    "| request | policies | measured | p50 / p95 ms | statements | of them for scopes |\n"
    "| --- | --- | --- | --- | --- | --- |"
)

Times = dict[str, list[float]]


def compare(driver: Driver, stack: Stack, *, quick: bool) -> list[str]:
    """The table, line by line."""
    crowd = [sys.executable, "-m", "tests.bench.crowd", _superuser(stack), "100000"]
    run(crowd, stack.environment)
    rounds = 3 if quick else 10
    ask = {"target": "requests", "port": stack.port, "people": stack.people, "users": USERS}
    driver.run(**ask, rounds=3)
    measured: dict[str, Times] = {"on": {"list": [], "send": []}, "off": {"list": [], "send": []}}
    with psycopg.connect(stack.owner_url, autocommit=True) as owner:
        for _ in range(TURNS):
            _add(measured["on"], driver.run(**ask, rounds=rounds))
            with without_policies(owner):
                _add(measured["off"], driver.run(**ask, rounds=rounds))
    return [HEAD, *_rows(measured, _count_statements(stack))]


def _superuser(stack: Stack) -> str:
    return stack.superuser_url.rpartition("/")[0] + f"/{DATABASE}"


def _add(times: Times, answers: list[Times]) -> None:
    for answer in answers:
        for name, seconds in answer.items():
            times[name] += seconds


def _count_statements(stack: Stack) -> dict[str, list[int]]:
    person = stack.people[-1]
    command = [sys.executable, "-m", "tests.bench.statements", person["email"], person["tenant"]]
    counts: dict[str, list[int]] = json.loads(run(command, stack.environment))
    return counts


def _rows(measured: dict[str, Times], counts: dict[str, list[int]]) -> list[str]:
    rows = []
    for name, (statements, of_scopes) in counts.items():
        for policies, times in measured.items():
            values = [1000 * seconds for seconds in times[name]]
            middle = f"{percentile(values, 50):.1f} / {percentile(values, 95):.1f}"
            cells = (name, policies, len(values), middle, statements, of_scopes)
            rows.append(f"| {' | '.join(map(str, cells))} |")
    return rows
