"""What the server remembers of each request."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.upstream.script import Usage


@dataclass
class Request:
    """One request as it was received, and what became of it. Times are monotonic seconds."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: dict[str, Any] = field(default_factory=dict)
    received_at: float = field(default_factory=time.monotonic)
    status: int = 0
    first_token_at: float = 0.0
    ended_at: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0  # really sent
    sent_text: str = ""
    reported: Usage | None = None
    is_complete: bool = False  # the whole script was played
    closed_early: bool = False  # the client went away before that

    @property
    def is_chat(self) -> bool:
        return self.path.endswith("/chat/completions")

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")

    @property
    def messages(self) -> list[dict[str, Any]]:
        messages = self.body.get("messages")
        return messages if isinstance(messages, list) else []

    @property
    def prompt(self) -> str:
        """The user's last message."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                return _text_of(message.get("content"))
        return ""

    def count_input(self) -> None:
        """Four bytes a token and four tokens a message: a rule by which a test can foretell it."""
        texts = [_text_of(message.get("content")) for message in self.messages]
        self.input_tokens = sum(4 + (len(text.encode()) + 3) // 4 for text in texts)

    def summary(self) -> dict[str, Any]:
        names = ("path", "status", "received_at", "first_token_at", "ended_at", "input_tokens")
        more = ("output_tokens", "is_complete", "closed_early", "prompt")
        return {name: getattr(self, name) for name in names + more}


def _text_of(content: Any) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content if isinstance(content, str) else ""


class Log:
    """All requests, in order of arrival; readable and waitable from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.requests: list[Request] = []

    def add(self, request: Request) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def end(self, request: Request, *, complete: bool) -> None:
        """Note the end of a request once; a second end changes nothing."""
        with self._changed:
            if not request.ended_at:
                request.ended_at = time.monotonic()
                request.is_complete = complete
                request.closed_early = not complete
            self._changed.notify_all()

    def changed(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, seconds)
