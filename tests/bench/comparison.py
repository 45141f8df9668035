"""The same driver at what the portal is compared with: a proxy, and a bare relay of our shape."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from portal.embedded.valkey import Valkey
from tests.bench.levels import Driver, Figures, Level, measure
from tests.bench.stack import free_port, listens, process
from tests.bench.usage import memory_mib

FLOOR = ["uvicorn", "tests.bench.floor:application", "--host", "127.0.0.1", "--no-access-log"]
FLOOR += ["--lifespan", "off", "--port"]

Show = Callable[[Figures], Figures]


@contextmanager
def helper(
    name: str, module: list[str], folder: Path, more: dict[str, str] | None = None
) -> Iterator[tuple[int, int]]:
    """A helper that takes the port it listens on as its last argument; gives its pid and port."""
    port = free_port()
    with process(name, [*module, str(port)], folder, os.environ | (more or {})) as child:
        while not listens(port):
            child.raise_if_ended()
            time.sleep(0.02)
        yield child.pid, port


def compare(
    driver: Driver, levels: list[Level], folder: Path, upstream: int, show: Show
) -> list[str]:
    """Measure both at these levels; what their processes take when idle."""
    lines = []
    with helper("proxy", ["tests.bench.proxy", str(upstream)], folder) as (pid, port):
        lines.append(f"Idle MiB of the proxy: {memory_mib(pid):.0f}")
        _measure(driver, "pass-through proxy", levels, {"proxy": pid}, port, show)
    with _floor(folder, upstream) as (pids, port):
        idle = {name: memory_mib(pid) for name, pid in pids.items()}
        lines.append(f"Idle MiB of the bare relay: {sum(idle.values()):.0f}")
        _measure(driver, "bare relay (floor)", levels, pids, port, show)
    return lines


def _measure(
    driver: Driver, name: str, levels: list[Level], pids: dict[str, int], port: int, show: Show
) -> None:
    job: dict[str, Any] = {"target": "completions", "port": port}
    for level in levels:
        show(measure(driver, name, level, pids, job))


@contextmanager
def _floor(folder: Path, upstream: int) -> Iterator[tuple[dict[str, int], int]]:
    with ExitStack() as exits:
        valkey = exits.enter_context(Valkey(folder / "floor-valkey", folder / "floor-valkey.log"))
        there = {"REDIS_URL": valkey.url}
        command = ["tests.bench.floor", str(upstream)]
        worker = process("floor-worker", command, folder, os.environ | there)
        worker_pid = exits.enter_context(worker).pid
        web_pid, port = exits.enter_context(helper("floor-web", FLOOR, folder, there))
        server = valkey.current_process()
        time.sleep(1.0)
        yield {"web": web_pid, "worker": worker_pid, "valkey": server.pid if server else 0}, port
