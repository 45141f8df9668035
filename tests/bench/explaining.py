"""How PostgreSQL carries out what a piece of work asks of it."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import connection

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
