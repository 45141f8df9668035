"""A process that died is started again, later each time; logs stay bounded."""

from pathlib import Path

from portal.embedded.logs import trim
from portal.embedded.processes import Child, Program
from portal.embedded.watch import DELAYS, Watched
from tests.portal.test_embedded_processes import wait_until


def test_a_dead_process_is_started_again_and_said(tmp_path: Path) -> None:
    child = Child(Program("sleeper", ["/bin/sleep", "60"], tmp_path / "log"))
    said: list[str] = []
    watched = Watched(child.itself, child.start, said.append)
    child.start()
    child.stop()

    watched.look()
    watched.start_again_at = 0.001
    watched.look()

    assert child.is_running()
    assert said[0].startswith("sleeper ended (signal 15); starting it again in 1 s")
    child.stop()


def test_each_fall_waits_longer(tmp_path: Path) -> None:
    child = Child(Program("false", ["/bin/false"], tmp_path / "log"))
    said: list[str] = []
    watched = Watched(child.itself, child.start, said.append)
    child.start()

    for _delay in (*DELAYS, DELAYS[-1]):
        wait_until(lambda: not child.is_running())
        watched.look()
        watched.start_again_at = 0.001
        watched.look()

    child.stop()

    announced = [text for text in said if "again in" in text]
    assert [
        f"again in {delay:.0f} s" in text for delay, text in zip(DELAYS, announced, strict=False)
    ]
    assert "in 30 s" in announced[-1]


def test_a_long_log_is_cut_and_its_writer_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200)

        trim(tmp_path, limit=100)
        writer.write(b"new")

    assert log.read_bytes() == b"new"
    assert (tmp_path / "web.log.1").read_bytes() == b"x" * 200
