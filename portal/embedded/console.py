"""What ``manage.py up`` shows: one line for each step, remarks between them, a table at the end."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

LABEL_WIDTH = 26


class Console:
    """Lines on standard output. A remark made during a step gets a line of its own."""

    def __init__(self) -> None:
        self._is_line_open = False

    def say(self, text: str) -> None:
        """Print one line."""
        self._end_line()
        _write(f"{text}\n")

    @contextmanager
    def step(self, label: str, hint: str = "") -> Iterator[None]:
        """Name a step when it begins, and say when it is done how long it took."""
        self._end_line()
        started = time.monotonic()
        title = f"  {label} ".ljust(LABEL_WIDTH, ".")
        _write(f"{title} ({hint}) " if hint else f"{title} ")
        self._is_line_open = True
        try:
            yield
        except BaseException:
            self._end_line()
            raise
        if not self._is_line_open:
            _write(f"{title} ")
        _write(f"{time.monotonic() - started:.1f} s\n")
        self._is_line_open = False

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows with aligned columns."""
        self._end_line()
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            _write(f"  {line.rstrip()}\n")

    def _end_line(self) -> None:
        if self._is_line_open:
            _write("\n")
            self._is_line_open = False


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
