"""Many open streams on one web process: nine hundred that wait, and a hundred that are answered."""

import resource
import time
from dataclasses import dataclass
from typing import Any

from tests.bench.levels import Driver, Figures, Level, measure
from tests.bench.stack import Stack, run_seed
from tests.bench.usage import memory_mib

IDLE = 900
ANSWERING = 100
FILES = 8192


@dataclass(frozen=True)
class Crowded:
    """`broken` of the idle streams did not stay open; each took so much memory of web."""

    figures: Figures
    broken: int
    kib_per_stream: float


def allow_open_files() -> None:
    """For this process and those that it starts: each stream is a file, here and there."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(FILES, most), most))


def measure_crowded(driver: Driver, stack: Stack, seconds: float) -> Crowded:
    """Open the idle streams, measure answers beside them, and see whether they are still open."""
    waiting = run_seed(stack.environment, f"seed.main_waiting({IDLE})")
    before = memory_mib(stack.pids["web"])
    driver.run(target="hold", port=stack.port, streams=waiting)
    time.sleep(2.0)
    kib = (memory_mib(stack.pids["web"]) - before) * 1024 / IDLE
    job: dict[str, Any] = {"target": "portal", "port": stack.port, "people": stack.people}
    level = Level.of(ANSWERING, seconds, quick=False)
    figures = measure(driver, f"Atrium, {IDLE} more streams open", level, stack.pids, job)
    broken = driver.run(target="release")
    return Crowded(figures, len(broken), kib)
