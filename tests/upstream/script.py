"""What the server can be told to do with a request."""

import asyncio
import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from typing import Any


class Fault(StrEnum):
    """What goes wrong once `Reply.fault_at` tokens have been sent."""

    HANG = "hang"  # nothing more comes, the connection stays open
    RESET = "reset"  # the connection is reset (RST)
    CUT = "cut"  # the connection is closed in the middle of the body
    MALFORMED = "malformed"  # one event that is no JSON; the reply goes on after it
    ERROR = "error"  # an error event inside the stream, which then ends
    NOISE = "noise"  # comments, unknown events and fields, which a client has to ignore


@dataclass(frozen=True)
class Usage:
    """Token counts as the server reports them."""

    input_tokens: int
    output_tokens: int


class Gate:
    """Holds replies at a given token until `open()` is called; may be opened from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_open = False
        self._waiting: list[tuple[asyncio.AbstractEventLoop, Callable[[], None]]] = []

    def open(self) -> None:
        with self._lock:
            self._is_open = True
            waiting, self._waiting = self._waiting, []
        for loop, callback in waiting:
            loop.call_soon_threadsafe(callback)

    def passes(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> bool:
        """Whether the gate is open; if not, `callback` runs in `loop` when it opens."""
        with self._lock:
            if not self._is_open:
                self._waiting.append((loop, callback))
            return self._is_open


@dataclass(frozen=True)
class Reply:
    """An answer: its text, its pace, and what goes wrong with it.

    `text` as one string is sent word by word; a sequence is sent as given, one token each. `STAMP`
    as a piece is replaced by the time of its sending. Without a pace everything is sent at once.
    `finish_reason=None` ends the stream cleanly without one. `usage=None` omits the token counts;
    by default they are what was really received and sent. `split_bytes` cuts the body into pieces
    of that many bytes, through UTF-8 and JSON alike. `azure` adds the empty first chunk of Azure's
    API.
    """

    text: str | Sequence[str] = "Hello from the model."
    _: KW_ONLY
    reasoning: Sequence[str] = ()
    first_token_seconds: float = 0.0
    tokens_per_second: float = 0.0
    finish_reason: str | None = "stop"
    usage: Usage | str | None = "counted"
    usage_with_finish: bool = False
    azure: bool = False
    split_bytes: int = 0
    fault: Fault | None = None
    fault_at: int = 0
    gate: Gate | None = None
    gate_at: int = 0

    @property
    def pieces(self) -> Sequence[str]:
        if isinstance(self.text, str):
            return re.findall(r"\s*\S+\s*$|\s*\S+|\s+$", self.text)
        return self.text


@dataclass(frozen=True)
class Refusal:
    """A whole response instead of a stream: an error, or a body that is no event stream."""

    status: int
    body: bytes | dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    after_seconds: float = 0.0


@dataclass(frozen=True)
class Silence:
    """No response at all: the connection is accepted, the request read, and nothing comes back."""


Script = Reply | Refusal | Silence
Rule = str | Callable[[str], bool]


class Scripts:
    """Which script answers: a matching rule, else the next in the queue, else the default."""

    def __init__(self, default: Script) -> None:
        self._lock = threading.Lock()
        self._default = default
        self._queue: deque[Script] = deque()
        self._rules: list[tuple[Rule, Script]] = []

    def set_default(self, script: Script) -> None:
        with self._lock:
            self._default = script

    def queue(self, scripts: Sequence[Script]) -> None:
        with self._lock:
            self._queue.extend(scripts)

    def add_rule(self, rule: Rule, script: Script) -> None:
        with self._lock:
            self._rules.insert(0, (rule, script))

    def clear(self, default: Script) -> None:
        with self._lock:
            self._default = default
            self._queue.clear()
            self._rules.clear()

    def pick(self, prompt: str) -> Script:
        with self._lock:
            for rule, script in self._rules:
                if rule in prompt if isinstance(rule, str) else rule(prompt):
                    return script
            return self._queue.popleft() if self._queue else self._default
