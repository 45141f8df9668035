"""What goes wrong with the embedded parts, in words for the person at the terminal."""

from collections.abc import Sequence


class EmbeddedError(Exception):
    """A part cannot run. The text is one plain line, safe to show, without any password.

    ``details`` are the last lines of a log that may say more.
    """

    def __init__(self, text: str, details: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.details = tuple(details)
