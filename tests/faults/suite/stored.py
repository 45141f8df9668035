"""What the database holds of the messages with these numbers."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tests.faults.suite.cases import End

_NUMBER = r"substring(prompt.content from '^\[[a-z0-9-]+ ([0-9]+)\]')::int"
_MESSAGES = f"""
SELECT {_NUMBER} AS number, prompt.id AS prompt_id, generation.id, generation.status,
    generation.error_code, generation.filter_side, generation.attempt, generation.partial_text,
    coalesce(reply.content, '') AS text
FROM chat_message AS prompt
LEFT JOIN chat_generation AS generation ON generation.prompt_id = prompt.id
LEFT JOIN chat_message AS reply ON reply.id = generation.reply_id
WHERE prompt.role = 'user' AND {_NUMBER} BETWEEN %(first)s AND %(last)s
"""
_BILLS = """
SELECT generation_id, input_tokens, output_tokens, is_estimate FROM chat_usageentry
WHERE generation_id = ANY(%(ids)s)
"""
_UNKNOWN_BILLS = """
SELECT count(*) AS count FROM chat_usageentry AS entry
WHERE NOT EXISTS (SELECT FROM chat_generation WHERE id = entry.generation_id)
"""
_SILENCE = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - heartbeat_at)), 0)
FROM chat_generation WHERE status = 'running'
"""


@dataclass(frozen=True)
class Bill:
    """One entry of the ledger."""

    input_tokens: int
    output_tokens: int
    is_estimate: bool


@dataclass
class Run:
    """A generation with its reply and its bills."""

    id: uuid.UUID
    end: End
    attempt: int
    text: str
    bills: list[Bill]

    @property
    def is_live(self) -> bool:
        return self.end.status in {"queued", "running"}


@dataclass
class Stored:
    """One message as it is stored: how often, and its generations."""

    prompts: set[uuid.UUID] = field(default_factory=set)
    runs: list[Run] = field(default_factory=list)


def read(address: str, first: int, last: int) -> Mapping[int, Stored]:
    """By number; empty for numbers that are not stored."""
    with psycopg.connect(address, row_factory=dict_row) as connection:
        rows = connection.execute(_MESSAGES, {"first": first, "last": last}).fetchall()
        ids = [row["id"] for row in rows if row["id"]]
        bills: dict[uuid.UUID, list[Bill]] = defaultdict(list)
        for entry in connection.execute(_BILLS, {"ids": ids}):
            bills[entry.pop("generation_id")].append(Bill(**entry))
    stored: dict[int, Stored] = defaultdict(Stored)
    for row in rows:
        message = stored[row["number"]]
        message.prompts.add(row["prompt_id"])
        if row["id"]:
            message.runs.append(_run(row, bills[row["id"]]))
    return stored


def _run(row: dict[str, Any], bills: list[Bill]) -> Run:
    end = End(row["status"], row["error_code"], row["filter_side"])
    return Run(row["id"], end, row["attempt"], row["text"] or row["partial_text"], bills)


def count_unknown_bills(address: str) -> int:
    """Entries of the ledger that belong to no generation."""
    with psycopg.connect(address) as connection:
        (count,) = connection.execute(_UNKNOWN_BILLS).fetchone() or (0,)
    return int(count)


def longest_silence(address: str) -> float:
    """Seconds since the oldest heartbeat of what runs; 0 where the database does not answer."""
    try:
        with psycopg.connect(address, connect_timeout=2) as connection:
            (seconds,) = connection.execute(_SILENCE).fetchone() or (0,)
    except psycopg.OperationalError:
        return 0.0
    return float(seconds)
