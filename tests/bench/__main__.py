"""`make bench`: the portal beside a pass-through proxy and beside a bare relay of its shape.

Starts everything it needs (PostgreSQL, Valkey, web, worker, beat, model server, driver), measures
at each level of load, prints Markdown, and stops what it started. Conversations get no title by a
model meanwhile: that would be a second call for each first answer.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import crowded, isolation, lists, report, searching
from tests.bench.comparison import compare, helper
from tests.bench.levels import FIRST_TOKEN_SECONDS, RATE, Driver, Figures, Level, measure
from tests.bench.stack import Stack, running, seconds_to_first_answer
from tests.bench.usage import memory_mib

UPSTREAM = ["tests.upstream", "--first-token-ms", f"{FIRST_TOKEN_SECONDS * 1000:g}"]
UPSTREAM += ["--rate", f"{RATE:g}", "--port"]
PARTS = ("comparison", "crowded", "isolation", "lists", "searching")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--users", default="1,10,50,200", help="levels of concurrent answers")
    parser.add_argument("--seconds", type=float, default=12.0, help="length of an answer")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter answers")
    parser.add_argument("--parts", default=",".join(PARTS), help="what is measured besides")
    parser.add_argument("--only-portal", action="store_const", const="", dest="parts", help="none")
    parser.add_argument("--keep-logs", metavar="FOLDER", help="put logs and data here, keep them")
    options = parser.parse_args()
    options.parts = set(filter(None, options.parts.split(",")))
    if unknown := options.parts - set(PARTS):
        parser.error(f"unknown parts: {', '.join(unknown)}")
    return options


@contextmanager
def work_folder(kept: str | None) -> Iterator[Path]:
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="bench-", dir=kept))
        return
    with tempfile.TemporaryDirectory(prefix="atrium-bench-") as folder:
        yield Path(folder)


def levels_of(options: argparse.Namespace) -> list[Level]:
    seconds = min(options.seconds, 3.0) if options.quick else options.seconds
    users = [int(number) for number in options.users.split(",")]
    return [Level.of(number, seconds, quick=options.quick) for number in users]


def show(figures: Figures) -> Figures:
    print(report.row(figures), flush=True)
    for problem in figures.problems[:5]:
        print(f"  lost: {problem}", file=sys.stderr)
    return figures


def measure_portal(driver: Driver, levels: list[Level], stack: Stack) -> dict[int, Figures]:
    job = {"target": "portal", "port": stack.port, "people": stack.people}
    driver.run(target="sign-in", port=stack.port, people=stack.people)
    measure(driver, "warm-up", Level(8, 40, 2, 0.0), stack.pids, job)
    measured = {}
    for level in levels:
        time.sleep(1.0)
        measured[level.users] = show(measure(driver, "Atrium", level, stack.pids, job))
    return measured


def bench(options: argparse.Namespace, folder: Path) -> None:
    """Everything that needs the running portal, and what is compared with it."""
    levels, driver = levels_of(options), Driver()
    notes: list[str] = []
    others: dict[str, float] = {}
    try:
        with helper("upstream", UPSTREAM, folder) as (_, upstream):
            with running(folder, upstream) as stack:
                time.sleep(2.0)
                idle = {name: memory_mib(pid) for name, pid in stack.pids.items()}
                print(report.HEAD, flush=True)
                measured = measure_portal(driver, levels, stack)
                if "crowded" in options.parts:
                    others |= measure_crowded(driver, stack, options)
                if "isolation" in options.parts:
                    notes += isolation.compare(driver, stack, quick=options.quick)
                others["s from web's start to its first page"] = seconds_to_first_answer(
                    folder, stack.environment
                )
            if "comparison" in options.parts:
                notes += ["", *compare(driver, levels, folder, upstream, show)]
    finally:
        driver.stop()
    others["MiB idle"] = sum(idle.values())
    print(f"\n{report.by_process('Idle MiB', idle, '.0f')}")
    for users, figures in measured.items():
        print(report.by_process(f"CPU s / 1,000 tokens at {users}", figures.cpu, ".3f"))
        print(report.by_process(f"Peak MiB at {users}", figures.peak, ".0f"))
    print(f"All started and ready in {stack.start_seconds:.1f} s\n")
    print("\n".join([*notes, "", *report.aims(measured, others)]), flush=True)


def measure_crowded(driver: Driver, stack: Stack, options: argparse.Namespace) -> dict[str, float]:
    seconds = min(options.seconds, 3.0) if options.quick else options.seconds
    result = crowded.measure_crowded(driver, stack, seconds)
    figures = show(result.figures)
    lost = result.broken + figures.asked - figures.completed
    return {
        "KiB of web for each idle open stream": result.kib_per_stream,
        "streams broken and answers lost with 1,000 open": lost,
        "added first token with 1,000 open, p95 ms": figures.first_p95,
    }


def main() -> None:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped
    crowded.allow_open_files()
    with work_folder(options.keep_logs) as folder:
        bench(options, folder)
    for name, part in {"lists": lists, "searching": searching}.items():
        if name in options.parts:
            print(flush=True)
            part.main()


if __name__ == "__main__":
    main()
