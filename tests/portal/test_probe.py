"""The health probes of worker and beat: true only while they do their work."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from portal import entry, probe
from portal.embedded import ports
from portal.embedded.processes import Child, Program
from portal.embedded.valkey import Valkey
from tests.stack import environment_for, wait_until

Run = Callable[[list[str], int], Child]


def health(port: int) -> tuple[int, dict[str, Any]]:
    """What the probe on this port says; (0, {}) while nobody answers."""
    try:
        answer = httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=20)
    except httpx2.TransportError:
        return 0, {}
    return answer.status_code, answer.json()


def wait_for(port: int, status: int) -> dict[str, Any]:
    """The facts, once the probe answers with this status."""
    wait_until(lambda: health(port)[0] == status, seconds=60, what=f"{status} from the probe")
    return health(port)[1]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Valkey]:
    """A Valkey that the other tests do not use."""
    with Valkey(tmp_path / "valkey", tmp_path / "valkey.log") as valkey:
        yield valkey


@pytest.fixture
def run(broker: Valkey, tmp_path: Path, transactional_db: None) -> Iterator[Run]:
    """Starts a process of the portal with a probe on this port."""
    with ExitStack() as exits:

        def run(arguments: list[str], port: int) -> Child:
            environment = environment_for(REDIS_URL=broker.url, PROBE_PORT=str(port))
            command = [sys.executable, *arguments]
            child = Child(
                Program("part", command, log=tmp_path / f"{port}.log", environment=environment)
            )
            child.start()
            exits.callback(child.stop)
            return child

        yield run


def two_ports() -> list[int]:
    """Free ones, for a worker and beat."""
    first = ports.free_port(28_000 + os.getpid() % 900 * 2)
    return [first, ports.free_port(first + 1)]


def test_worker_and_beat_are_well_only_while_their_broker_is_there(
    run: Run, broker: Valkey
) -> None:
    of_worker, of_beat = two_ports()
    broker.stop()
    run([*entry.worker(), "--concurrency", "5"], of_worker)
    run(entry.beat(), of_beat)
    waiting = wait_for(of_worker, 503), wait_for(of_beat, 503)
    broker.start()
    working = wait_for(of_worker, 200), wait_for(of_beat, 200)

    broker.stop()
    lost = wait_for(of_worker, 503), wait_for(of_beat, 503)
    broker.start()
    back = wait_for(of_worker, 200), wait_for(of_beat, 200)

    reasons = [facts["reason"].partition(" for ")[0] for facts in (*waiting, *lost)]
    assert reasons[:2] == ["it has not begun", "nothing sent yet"]
    assert reasons[2:] == ["no connection to the broker", "nothing sent"]
    assert working == back == ({"consuming": True}, {"ticking": True})


def test_a_port_that_is_taken_ends_the_start_in_one_line(run: Run) -> None:
    port, _ = two_ports()
    taken = probe.serve(port, lambda: probe.Health(is_well=True, facts={}))
    elsewhere = httpx2.get(f"http://127.0.0.1:{port}/")

    child = run(entry.beat(), port)
    wait_until(lambda: not child.is_running(), what="the end of the start")

    taken.shutdown()
    taken.server_close()
    assert elsewhere.status_code == 404
    assert child.exit_status == 1
    assert f"PROBE_PORT {port} cannot be used: taken by " in child.log_lines()[-1]


class Pool:
    """A pool that takes work when it is told to."""

    def __init__(self, *, is_green: bool = True, works: bool = True) -> None:
        self.is_green = is_green
        self._works = works

    def apply_async(self, work: Callable[[], object], **_: object) -> None:
        if self._works:
            work()


class Consumer:
    """A consumer that goes round when it is told to."""

    connection: object = "a connection"

    def __init__(self, pool: Pool, *, goes_round: bool = True) -> None:
        self.pool = pool
        self._goes_round = goes_round

    def call_soon(self, call: Callable[[], object]) -> None:
        if self._goes_round:
            call()


@pytest.mark.parametrize(
    ("consumer", "reason"),
    [
        (Consumer(Pool()), ""),
        (Consumer(Pool(is_green=False, works=False)), ""),
        (Consumer(Pool(), goes_round=False), "the consumer does not go round"),
        (Consumer(Pool(works=False)), "the pool takes no work"),
    ],
)
def test_a_consumer_that_is_stuck_is_not_well(
    monkeypatch: pytest.MonkeyPatch, consumer: Consumer, reason: str
) -> None:
    monkeypatch.setattr(probe, "ROUND_TRIP_SECONDS", 0.2)
    monkeypatch.setattr(probe.Consuming, "consumer", consumer)

    answer = probe.is_consuming()

    assert (answer.is_well, answer.facts.get("reason", "")) == (not reason, reason)
