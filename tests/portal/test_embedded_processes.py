"""Children: tied to their parent, logged, stopped within a deadline."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from portal.embedded.errors import EmbeddedError
from portal.embedded.processes import Child, Program

BASE = Path(__file__).resolve().parents[2]
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True: time.sleep(1)
"""
ORPHANING = """
import os, signal, sys
from pathlib import Path
from portal.embedded.processes import Child, Program
child = Child(Program("sleeper", ["/bin/sleep", "60"], Path(sys.argv[1])))
child.start()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def wait_until(is_true: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def python(code: str, log: Path, grace: float = 5.0) -> Child:
    stop_signals = ((signal.SIGTERM, grace),)
    program = Program("python", [sys.executable, "-c", code], log, stop_signals=stop_signals)
    return Child(program)


def test_output_goes_to_a_private_log_and_the_last_lines_can_be_read(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "python.log"
    child = python("print('one'); print('two'); raise SystemExit(3)", log)

    child.start()
    wait_until(lambda: not child.is_running())

    assert child.log_lines() == ["one", "two"]
    assert log.stat().st_mode & 0o777 == 0o600
    with pytest.raises(EmbeddedError, match=r"python ended \(exit 3\)") as error:
        child.raise_if_ended()
    assert error.value.details == ("one", "two")


def test_a_polite_child_stops_at_the_first_signal(tmp_path: Path) -> None:
    child = python("import time; time.sleep(60)", tmp_path / "log")

    child.start()
    child.stop()

    assert child.exit_status == -signal.SIGTERM


def test_a_stubborn_child_is_killed_after_its_grace(tmp_path: Path) -> None:
    child = python(STUBBORN, tmp_path / "log", grace=0.2)

    child.start()
    wait_until(lambda: child.log_lines() == ["ready"])
    child.stop()

    assert child.exit_status == -signal.SIGKILL


def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ORPHANING, str(tmp_path / "log")],
        cwd=BASE,
        capture_output=True,
        text=True,
        check=False,
    )
    orphan = Path(f"/proc/{int(done.stdout)}/status")

    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not orphan.exists() or "zombie" in orphan.read_text())


def test_a_program_that_does_not_exist_says_so_in_its_log(tmp_path: Path) -> None:
    child = Child(Program("nothing", ["/nonexistent/program"], tmp_path / "log"))

    child.start()
    wait_until(lambda: not child.is_running())

    assert "launch: cannot run /nonexistent/program" in child.log_lines()[-1]
