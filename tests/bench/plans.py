"""How PostgreSQL finds what the portal asks for, with policies and without.

`python -m tests.bench.plans` makes a database with 100 tenants and a million messages, and prints
the plans that docs/decisions/0010-row-level-security.md tells of.
"""

import os
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import django
import psycopg
from django.core.management import call_command
from django.db import connection

from portal.embedded.postgres import DATABASE, Postgres
from tests.bench.switch import without_policies

_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS) "


class Plan(NamedTuple):
    """A statement and how it was carried out, line by line."""

    statement: str
    lines: list[str]

    @property
    def milliseconds(self) -> float:
        """How long it took, without planning."""
        found = re.search(r"Execution Time: ([\d.]+)", "\n".join(self.lines))
        return float(found[1]) if found else float("nan")

    @property
    def indexes(self) -> set[str]:
        """The indexes that it used."""
        text = "\n".join(self.lines)
        return set(re.findall(r"Index (?:Only )?Scan (?:Backward )?using (\w+)", text)) | set(
            re.findall(r"Bitmap Index Scan on (\w+)", text)
        )

    @property
    def read_whole(self) -> set[str]:
        """The tables that it read from one end to the other."""
        return set(re.findall(r"Seq Scan on (\w+)", "\n".join(self.lines)))


def plans_of(work: Callable[[], object]) -> list[Plan]:
    """Do this work; the plan of each of its statements that reads a table of ours."""
    plans: list[Plan] = []

    def explain(
        execute: Callable[..., Any], statement: str, params: Any, many: bool, context: Any
    ) -> Any:
        if re.match(r"\s*(SELECT|WITH)\b", statement) and re.search(
            r"\b(chat|tenants)_", statement
        ):
            execute(_EXPLAIN + statement, params, many, context)
            plans.append(Plan(statement, [line for (line,) in context["cursor"].fetchall()]))
        return execute(statement, params, many, context)

    with connection.execute_wrapper(explain):
        work()
    return plans


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="atrium-plans-") as folder,
        Postgres(Path(folder) / "postgres", Path(folder) / "postgres.log") as postgres,
    ):
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "portal.settings",
            "SECRET_KEY": "only-for-plans-" + "0" * 50,
            "DATABASE_URL": postgres.url,
            "DATABASE_OWNER_URL": postgres.owner_url,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
            "STATIC_ROOT": f"{folder}/static",
            "LOG_LEVEL": "WARNING",
        }
        django.setup()
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        superuser = psycopg.connect(postgres.superuser_url, dbname=DATABASE, autocommit=True)
        owner = psycopg.connect(postgres.owner_url, autocommit=True)
        with superuser, owner:
            _print_all(superuser, owner)


def _print_all(superuser: "psycopg.Connection[Any]", owner: "psycopg.Connection[Any]") -> None:
    from tests.bench import questions  # noqa: PLC0415  # Django's models: after django.setup()
    from tests.bench.crowd import Crowd, gather  # noqa: PLC0415  # as above

    gather(superuser, Crowd())
    for name, ask in questions.QUESTIONS.items():
        ask()
        with_policies = plans_of(ask)
        with without_policies(owner):
            ask()
            bare = plans_of(ask)
        for plan, other in zip(with_policies, bare, strict=True):
            print(f"\n## {name}: {plan.milliseconds:.2f} ms, without {other.milliseconds:.2f} ms")
            print(plan.statement[:300])
            print("\n".join(plan.lines))
            if "-v" in sys.argv:
                print("--- without policies\n" + "\n".join(other.lines))
    connection.close()


if __name__ == "__main__":
    main()
