"""What a page shows of one answer: the events of its stream, as EventSource hands them on."""

import json
from typing import Any


class Shown:
    """Text and state after the events so far; keeps the last id for the next connection."""

    def __init__(self) -> None:
        self.text = ""
        self.last_id = ""
        self.end: dict[str, Any] | None = None
        self._rest = b""

    def begin(self) -> None:
        """A new connection: what was left of an event of the last one is forgotten."""
        self._rest = b""

    def __call__(self, body: bytes) -> None:
        *events, self._rest = (self._rest + body).split(b"\n\n")
        for event in events:
            self._take(event)

    def _take(self, event: bytes) -> None:
        lines = [line for line in event.split(b"\n") if not line.startswith(b":")]
        fields = {name: value for name, _, value in (line.partition(b": ") for line in lines)}
        if b"id" in fields:
            self.last_id = fields[b"id"].decode()
        if b"data" in fields:
            self._apply(fields.get(b"event", b"message"), json.loads(fields[b"data"]))

    def _apply(self, name: bytes, data: dict[str, Any]) -> None:
        if name == b"delta":
            self.text += data["text"]
        elif name == b"snapshot":
            self.text = data["text"]
        elif name == b"end":
            self.end = data
