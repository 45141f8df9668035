"""What a browser is told while an answer is written: names and shapes of the stream's events.

`data` is one JSON object of strings: waiting {"reason", "ahead", "seconds"} (it has not begun, and
why), started {}, delta {"text"} (append), snapshot {"text"} (replace all so far), end {"status",
"error_code"}. A waiting event may also follow started: the run was put back into the queue.
"""

import json
from typing import NamedTuple

WAITING = "waiting"
STARTED = "started"
DELTA = "delta"
SNAPSHOT = "snapshot"
END = "end"

# The id of every end event, so that a browser that has seen it is told "nothing more" (204).
END_ID = "end"


class Event(NamedTuple):
    """One event: its name, and its data as UTF-8 JSON."""

    name: str
    data: bytes


def _event(name: str, **data: str) -> Event:
    return Event(name, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())


def waiting(reason: str, *, ahead: int, seconds: int) -> Event:
    """No worker has it; what it waits for is `reason` (chat/services/waiting.py)."""
    return _event(WAITING, reason=reason, ahead=str(ahead), seconds=str(seconds))


def started() -> Event:
    """The model is being called."""
    return _event(STARTED)


def delta(text: str) -> Event:
    """Text that follows what came before."""
    return _event(DELTA, text=text)


def snapshot(text: str) -> Event:
    """All text so far, replacing what came before."""
    return _event(SNAPSHOT, text=text)


def end(status: str, error_code: str = "") -> Event:
    """The generation has ended in this state."""
    return _event(END, status=status, error_code=error_code)


def apply(text: str, event: Event) -> str:
    """The text after this event, given the text before it."""
    if event.name == DELTA:
        return text + str(json.loads(event.data)["text"])
    if event.name == SNAPSHOT:
        return str(json.loads(event.data)["text"])
    return text
