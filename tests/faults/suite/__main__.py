"""`make faults`: every fault, one at a time, and then at random.

Starts everything it needs, prints a table in Markdown, and stops what it started. Ends with a list
and status 1 when a promise was broken.
"""

import argparse
import asyncio
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.suite import faults, imitations, table
from tests.faults.suite.crowd import Crowd, Result, World
from tests.faults.suite.faults import Fault
from tests.faults.suite.world import opened

MOST_LINES = 20  # of each fault


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.suite", description=__doc__)
    parser.add_argument("--conversations", type=int, default=50, help="at the same time")
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="faults with it in the name"
    )
    parser.add_argument("--short", action="store_true", help="the faults of `make test`")
    parser.add_argument("--random-minutes", type=float, default=3.0, help="0 for none")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of what is random"
    )
    parser.add_argument("--keep-logs", metavar="FOLDER", help="put logs and data here, keep them")
    return parser.parse_args()


def chosen(options: argparse.Namespace) -> list[Fault]:
    """The faults that these options name, the random ones last."""
    every = [*faults.SHORT] if options.short else [*faults.ALL, *imitations.FAULTS]
    if options.random_minutes:
        every.append(faults.at_random(options.random_minutes * 60, options.seed))
    wanted = options.only or [""]
    return [fault for fault in every if any(text in fault.name for text in wanted)]


async def run(world: World, chosen: list[Fault], conversations: int) -> list[Result]:
    """One after the other, each row printed as it is known."""
    await world.sign_in()
    print(table.HEAD, flush=True)
    results = []
    for fault in chosen:
        results.append(await Crowd(world, fault, conversations).run())
        print(table.row(results[-1]), flush=True)
        for violation in results[-1].violations[:MOST_LINES]:
            print(f"  {violation}", file=sys.stderr, flush=True)
    return results


@contextmanager
def work_folder(kept: str | None) -> Iterator[Path]:
    if kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        yield Path(tempfile.mkdtemp(prefix="faults-", dir=kept))
        return
    with tempfile.TemporaryDirectory(prefix="atrium-faults-") as folder:
        yield Path(folder)


def main() -> None:
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that everything is stopped
    print(f"Seed {options.seed}\n", flush=True)
    with ExitStack() as exits:
        folder = exits.enter_context(work_folder(options.keep_logs))
        world = exits.enter_context(opened(folder, imitated=not options.short))
        results = asyncio.run(run(world, chosen(options), options.conversations))
    report(results)


def report(results: list[Result]) -> None:
    """How much was broken, and status 1 if anything was."""
    broken = {result.fault: len(result.violations) for result in results if result.violations}
    if not broken:
        print("\nNothing lost, nothing billed twice, every end honest.")
        return
    print("\nPromises broken, as listed under each fault:\n", file=sys.stderr)
    for fault, count in broken.items():
        print(f"- {fault}: {count}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
