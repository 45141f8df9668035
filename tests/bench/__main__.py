"""`make bench`: the portal beside the model server itself and beside a pass-through proxy.

Starts everything it needs (PostgreSQL, Valkey, web, worker, beat, model server, driver), measures
at each level of load, prints Markdown, and stops what it started.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bench import isolation, report
from tests.bench.levels import FIRST_TOKEN_SECONDS, RATE, Driver, Figures, Level, measure
from tests.bench.stack import Stack, free_port, listens, process, running
from tests.bench.usage import memory_mib

UPSTREAM = ["tests.upstream", "--first-token-ms", f"{FIRST_TOKEN_SECONDS * 1000:g}"]
UPSTREAM += ["--rate", f"{RATE:g}", "--port"]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--users", default="1,10,50,200", help="levels of concurrent answers")
    parser.add_argument("--seconds", type=float, default=12.0, help="length of an answer")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, shorter answers")
    parser.add_argument("--only-portal", action="store_true", help="nothing to compare with")
    parser.add_argument("--keep-logs", metavar="FOLDER", help="put logs and data here, keep them")
    return parser.parse_args()


@contextmanager
def helper(name: str, module: list[str], folder: Path) -> Iterator[tuple[int, int]]:
    """A helper that takes the port it listens on as its last argument; gives its pid and port."""
    port = free_port()
    with process(name, [*module, str(port)], folder, dict(os.environ)) as child:
        while not listens(port):
            child.raise_if_ended()
            time.sleep(0.02)
        yield child.pid, port


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


def compare(driver: Driver, levels: list[Level], folder: Path, upstream: int) -> None:
    """The same driver straight at the model server, and through the proxy."""
    with helper("proxy", ["tests.bench.proxy", str(upstream)], folder) as (pid, proxy):
        targets: list[tuple[str, int, dict[str, int]]] = [
            ("model server itself", upstream, {}),
            ("pass-through proxy", proxy, {"proxy": pid}),
        ]
        for name, port, pids in targets:
            for level in levels:
                job: dict[str, Any] = {"target": "completions", "port": port}
                show(measure(driver, name, level, pids, job))


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
    levels, driver = levels_of(options), Driver()
    try:
        with helper("upstream", UPSTREAM, folder) as (_, upstream):
            with running(folder, upstream) as stack:
                time.sleep(2.0)
                idle = {name: memory_mib(pid) for name, pid in stack.pids.items()}
                print(report.HEAD, flush=True)
                measured = measure_portal(driver, levels, stack)
                kept_apart = isolation.compare(driver, stack, quick=options.quick)
            if not options.only_portal:
                compare(driver, levels, folder, upstream)
    finally:
        driver.stop()
    print()
    print(report.by_process("Idle MiB", idle, ".0f"))
    for users, figures in measured.items():
        print(report.by_process(f"CPU s / 1,000 tokens at {users}", figures.cpu, ".3f"))
    print(f"Started and ready in {stack.start_seconds:.1f} s\n")
    print("\n".join(kept_apart), end="\n\n")
    print("\n".join(report.aims(measured)))


def main() -> None:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped
    with work_folder(options.keep_logs) as folder:
        bench(options, folder)


if __name__ == "__main__":
    main()
