"""Child processes that die with their parent, write to a log, and stop within a deadline."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from portal.embedded.errors import EmbeddedError
from portal.embedded.identity import Identity

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Program:
    """What to run, as whom, and how it is told to stop.

    ``death_signal`` is what the kernel sends it when this process dies first (Linux).
    ``stop_signals`` are tried in order, each for its number of seconds, before SIGKILL.
    """

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] | None = None
    identity: Identity | None = None
    directory: Path | None = None
    death_signal: str = "TERM"
    stop_signals: Sequence[tuple[signal.Signals, float]] = ((signal.SIGTERM, 10.0),)

    def launch_command(self) -> list[str]:
        """The command that runs it as a child tied to this process."""
        command = [sys.executable, "-I", "-S", str(LAUNCHER)]
        command += ["--parent", str(os.getpid()), "--death-signal", self.death_signal]
        if self.identity is not None:
            command += self.identity.launch_options()
        if self.directory is not None:
            command += ["--directory", str(self.directory)]
        return [*command, "--", *self.command]

    def run(self) -> tuple[int, str]:
        """Run it to its end; return exit status and output, which also goes to the log."""
        answer = subprocess.run(
            self.launch_command(),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        with open_log(self.log) as output:
            output.write(answer.stdout)
        return answer.returncode, answer.stdout.decode(errors="replace")


class Child:
    """One child process, in a session of its own so that a Ctrl-C reaches only its parent."""

    def __init__(self, program: Program) -> None:
        self.name = program.name
        self.log = program.log
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @property
    def pid(self) -> int:
        """The process id, or 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.poll() if self._process else None

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def itself(self) -> Self:
        """This child, for a watcher."""
        return self

    def describe_end(self) -> str:
        """How it ended, in words."""
        status = self.exit_status
        if status is None:
            return f"{self.name} is running"
        how = f"signal {-status}" if status < 0 else f"exit {status}"
        return f"{self.name} ended ({how})"

    def raise_if_ended(self) -> None:
        """Raise EmbeddedError with the last lines of its log when it no longer runs."""
        if not self.is_running():
            raise EmbeddedError(f"{self.describe_end()}, see {self.log}", self.log_lines())

    def start(self) -> None:
        """Start it; its output is appended to the log."""
        with open_log(self.log) as output:
            self._log_start = output.tell()
            self._process = subprocess.Popen(
                self._program.launch_command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._program.environment,
                start_new_session=True,
            )

    def ask_to_stop(self) -> None:
        """Send the first stop signal and return at once."""
        if self.is_running():
            self._send(self._program.stop_signals[0][0])

    def stop(self) -> None:
        """Stop it, politely first, and wait until it has gone."""
        for stop_signal, seconds in self._program.stop_signals:
            if not self.is_running():
                return
            self._send(stop_signal)
            if self._wait(seconds):
                return
        if self.is_running():
            self._send(signal.SIGKILL)
            self._wait(10.0)

    def log_lines(self, count: int = 10) -> list[str]:
        """The last lines that this run wrote."""
        with self.log.open("rb") as output:
            size = output.seek(0, os.SEEK_END)
            output.seek(min(max(self._log_start, size - 65536), size))
            text = output.read().decode(errors="replace")
        return [line for line in text.splitlines() if line.strip()][-count:]

    def _send(self, stop_signal: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(stop_signal)

    def _wait(self, seconds: float) -> bool:
        if self._process is None:
            return True
        try:
            self._process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return False
        return True


def open_log(path: Path) -> IO[bytes]:
    """Open a log for appending, readable by its owner only, with its folder made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    return os.fdopen(descriptor, "ab")
