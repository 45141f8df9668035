"""Reads a stream of stamped tokens and keeps what it measured."""

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.upstream.stamp import ages


@dataclass
class Measured:
    """One answer, from the click to its end; times in seconds."""

    clicked_at: float = 0.0
    sent_at: float = 0.0  # when the message was stored and its fragment was there
    first_at: float = 0.0
    last_at: float = 0.0
    lags: list[float] = field(default_factory=list)  # of each token: received - sent
    status: str = ""  # how the answer ended, in the words of its stream
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Reader:
    """Takes the body of an event stream piece by piece, as a browser does."""

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._rest = b""

    def __call__(self, body: bytes) -> None:
        received = time.monotonic_ns()
        *events, self._rest = (self._rest + body).split(b"\n\n")
        for event in events:
            self.take(event, received)

    def take(self, event: bytes, received: int) -> None:
        raise NotImplementedError

    def note(self, text: str, received: int) -> None:
        """`text` has new tokens in it."""
        measured = self._measured
        if not text:
            return
        measured.last_at = received / 1e9
        measured.first_at = measured.first_at or measured.last_at
        measured.lags += ages(text, received)


class PortalReader(Reader):
    """The portal's events: deltas append, a snapshot replaces, the end ends.

    A token counts once, when it is first seen: a replay may begin again before what was shown.
    """

    def __init__(self, measured: Measured) -> None:
        super().__init__(measured)
        self._position = self._seen = 0

    def take(self, event: bytes, received: int) -> None:
        fields = dict(
            line.split(b": ", 1) for line in event.split(b"\n") if not line.startswith(b":")
        )
        name, data = fields.get(b"event"), json.loads(fields.get(b"data", b"{}"))
        if name in {b"delta", b"snapshot"}:
            start = self._position if name == b"delta" else 0
            self._position = start + len(data["text"])
            self.note(data["text"][max(0, self._seen - start) :], received)
            self._seen = max(self._seen, self._position)
        elif name == b"end":
            self._measured.status = data["status"]
            self._measured.problem = data.get("error_code", "")


class CompletionsReader(Reader):
    """The OpenAI protocol's events."""

    def take(self, event: bytes, received: int) -> None:
        data = event.removeprefix(b"data: ")
        if data == b"[DONE]":
            self._measured.status = "completed"
            return
        for choice in json.loads(data)["choices"]:
            self.note(choice["delta"].get("content", ""), received)
