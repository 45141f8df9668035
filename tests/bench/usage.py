"""CPU time and memory of processes with all their children."""

import os
import threading
import time
from types import TracebackType
from typing import Self

import psutil


def tree(pid: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_seconds(pid: int) -> float:
    """User and system time of the tree, with that of children which have ended."""
    total = 0.0
    for process in tree(pid):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def memory_mib(pid: int) -> float:
    """Proportional set size of the tree: memory that processes share counts once."""
    total = 0
    for process in tree(pid):
        try:
            total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total / 2**20


def machine_busy_seconds() -> float:
    """CPU seconds that the whole machine has spent working."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


class Meter:
    """CPU seconds and peak memory of named processes while the block runs."""

    SAMPLE_SECONDS = 2.0

    def __init__(self, pids: dict[str, int]) -> None:
        self._pids = pids
        self._before: dict[str, float] = {}
        self._over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self.cpu: dict[str, float] = {}
        self.others = 0.0  # share of the machine that neither the portal nor the benchmark used
        self._began = self._busy = self._own = 0.0
        self.peak: dict[str, float] = dict.fromkeys(pids, 0.0)

    def __enter__(self) -> Self:
        self._before = {name: cpu_seconds(pid) for name, pid in self._pids.items()}
        self._began, self._busy = time.monotonic(), machine_busy_seconds()
        self._own = self._own_seconds()
        self._sampler.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name, pid in self._pids.items():
            self.cpu[name] = cpu_seconds(pid) - self._before[name]
        foreign = machine_busy_seconds() - self._busy - (self._own_seconds() - self._own)
        whole = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        self.others = max(0.0, foreign / whole)
        self._over.set()
        self._sampler.join()

    @staticmethod
    def _own_seconds() -> float:
        return cpu_seconds(os.getpid())

    def _sample(self) -> None:
        while not self._over.wait(self.SAMPLE_SECONDS):
            for name, pid in self._pids.items():
                self.peak[name] = max(self.peak[name], memory_mib(pid))
