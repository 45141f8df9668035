"""One level of load against one target, and its figures."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.usage import Meter

ROOT = Path(__file__).resolve().parents[2]
FIRST_TOKEN_SECONDS = 0.3
RATE = 40.0


class Driver:
    """The load process; see tests/bench/driver.py."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.driver"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, **job: Any) -> list[dict[str, Any]]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        result = json.loads(line) if line else {"error": "the driver ended"}
        if isinstance(result, dict):
            raise SystemExit(f"driver: {result['error']}")
        answers: list[dict[str, Any]] = result
        return answers

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Level:
    """How many answers at once, how long each, how often over, and how the clicks are spread."""

    users: int
    tokens: int
    rounds: int
    spread_seconds: float

    @classmethod
    def of(cls, users: int, seconds: float, *, quick: bool) -> "Level":
        rounds = max(1, (5 if quick else 10) // users)
        length = min(seconds, 2.0) if rounds > 1 else seconds
        return cls(users, int(length * RATE), rounds, 5.0 if users >= 50 else 0.0)

    @property
    def limit_seconds(self) -> float:
        """After this an answer counts as lost: ten times its ideal length, or 30 s."""
        return max(30.0, 10 * self.tokens / RATE)


@dataclass(frozen=True)
class Figures:
    """What a level measured; times in milliseconds."""

    target: str
    users: int
    completed: int
    asked: int
    first_p50: float
    first_p95: float
    token_p50: float
    token_p99: float
    rate: float  # tokens a second, all answers together
    ideal: float
    cpu: dict[str, float]  # seconds per 1,000 tokens, by process
    peak: dict[str, float]  # MiB, by process
    others: float  # share of the machine's CPU that other programs took meanwhile
    problems: list[str]

    @property
    def cpu_total(self) -> float:
        return sum(self.cpu.values())


def measure(
    driver: Driver, name: str, level: Level, pids: dict[str, int], job: dict[str, Any]
) -> Figures:
    job |= {
        "users": level.users,
        "tokens": level.tokens,
        "rounds": level.rounds,
        "spread_seconds": level.spread_seconds,
        "limit_seconds": level.limit_seconds,
    }
    driver.run(**job, is_rehearsal=True)  # open the pages: what happens before the clicks
    with Meter(pids) as meter:
        answers = driver.run(**job, is_rehearsal=False)
    return figures(name, level, answers, meter)


def figures(name: str, level: Level, answers: list[dict[str, Any]], meter: Meter) -> Figures:
    whole = [answer for answer in answers if is_whole(answer, level)]
    first = [1000 * (a["first_at"] - a["clicked_at"] - FIRST_TOKEN_SECONDS) for a in whole]
    lags = [1000 * lag for answer in whole for lag in answer["lags"]]
    ideal = (level.tokens - 1) / RATE
    shares = [ideal / (a["last_at"] - a["clicked_at"] - FIRST_TOKEN_SECONDS) for a in whole]
    thousands = sum(len(answer["lags"]) for answer in answers) / 1000 or 1.0
    return Figures(
        target=name,
        users=level.users,
        completed=len(whole),
        asked=len(answers),
        first_p50=percentile(first, 50),
        first_p95=percentile(first, 95),
        token_p50=percentile(lags, 50),
        token_p99=percentile(lags, 99),
        rate=RATE * sum(shares) / level.rounds,
        ideal=level.users * RATE,
        cpu={process: seconds / thousands for process, seconds in meter.cpu.items()},
        peak=meter.peak,
        others=meter.others,
        problems=sorted(
            {a["problem"] or a["status"] or "short" for a in answers if a not in whole}
        ),
    )


def is_whole(answer: dict[str, Any], level: Level) -> bool:
    return answer["status"] == "completed" and len(answer["lags"]) == level.tokens


def percentile(values: list[float], percent: int) -> float:
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
