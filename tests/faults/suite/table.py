"""The result as a table in Markdown."""

from tests.faults.suite.cases import COMPLETED
from tests.faults.suite.crowd import Result
from tests.faults.suite.judge import Wrong

COLUMNS = ("Fault", "Conversations", "Messages", "Answers completed", "Ended honestly", "Lost",
           "Double-billed", "Time to honest end (max s)", "Other faults found")  # fmt: skip
HEAD = "\n".join(["| " + " | ".join(COLUMNS) + " |", "| --- |" + " ---: |" * (len(COLUMNS) - 1)])


def row(result: Result) -> str:
    """One fault."""
    wrong = [violation.wrong for violation in result.violations]
    lost, double = wrong.count(Wrong.LOST), wrong.count(Wrong.DOUBLE)
    seconds = [each.sent.seconds for each in result.verdicts if each.sent.ended_at]
    cells = [
        result.fault,
        result.conversations,
        len(result.verdicts),
        sum(verdict.end == COMPLETED for verdict in result.verdicts),
        sum(verdict.is_honest for verdict in result.verdicts),
        lost,
        double,
        f"{max(seconds, default=0.0):.1f}",
        len(wrong) - lost - double,
    ]
    return "| " + " | ".join(map(str, cells)) + " |"
