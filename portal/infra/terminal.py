"""What an operator sees: lines, a status that is overwritten on a terminal, and no secrets."""

import shutil
from typing import Protocol

from portal.infra.parameters import MASK

CLEAR = "\r\x1b[2K"


class Stream(Protocol):
    """Standard output, or what stands for it."""

    def write(self, text: str, /) -> object:
        """Write it as it is."""

    def flush(self) -> object:
        """Let it be seen."""

    def isatty(self) -> bool:
        """Whether a person looks at it."""


class Terminal:
    """Writes to a stream; the `secrets` become a mask wherever they would appear."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._is_overwritten = stream.isatty()
        self.secrets: set[str] = set()

    def line(self, text: str = "") -> None:
        """A line that stays."""
        for secret in self.secrets:
            text = text.replace(secret, MASK)
        start = CLEAR if self._is_overwritten else ""
        self._stream.write(f"{start}{text}\n")
        self._stream.flush()

    def title(self, text: str) -> None:
        """The name of the next step."""
        self.line()
        self.line(text)

    def status(self, text: str) -> None:
        """What is true now, on a terminal alone; the next line or status replaces it."""
        if self._is_overwritten:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"{CLEAR}{text[:width]}")
            self._stream.flush()
