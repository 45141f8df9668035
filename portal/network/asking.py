"""One HTTPS request over a connection of ours, to exactly the address that was checked."""

import http.client
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from portal.network.findings import Deadline, Problem

# More than this is never read, however much a server sends.
MOST_BYTES = 64 * 1024
_LONGEST_REASON = 160
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Reply:
    """An answer: names of headers in small letters, a body no longer than MOST_BYTES."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def text(self) -> str:
        """The body, for looking for words in it."""
        return self.body.decode(errors="replace")

    @property
    def reason(self) -> str:
        """What the service says about it, shortly."""
        content = self.json()
        error: object = content.get("error") or next(iter(content.get("errors") or []), None)
        if not isinstance(error, dict):
            return ""
        said = f"{error.get('code', '')}: {error.get('message', '')}".strip(": ")
        return said.splitlines()[0][:_LONGEST_REASON] if said else ""

    def __str__(self) -> str:
        """Status and reason, in one line."""
        return f"HTTP {self.status}{f' ({self.reason})' if self.reason else ''}"


@dataclass(frozen=True)
class Door:
    """Opens a connection to one host, again for each request."""

    host: str
    open: Callable[[], ssl.SSLSocket]
    deadline: Deadline

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        token: str = "",
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        """Ask once; follows no redirect. Raises Problem."""
        sent = {
            "Accept": "application/json",
            "User-Agent": "atrium-check-network",
            **(headers or {}),
        }
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if form is not None:
            sent["Content-Type"] = FORM
        with closing(self.open()) as channel:
            channel.settimeout(self.deadline.wait())
            return self._exchange(channel, method, path, urlencode(form or {}), sent)

    def _exchange(
        self, channel: ssl.SSLSocket, method: str, path: str, body: str, headers: dict[str, str]
    ) -> Reply:
        connection = http.client.HTTPConnection(self.host)
        connection.sock = channel
        try:
            connection.request(method, path, body=body or None, headers=headers)
            response = connection.getresponse()
            lines = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, lines, response.read(MOST_BYTES))
        except TimeoutError:
            raise Problem("too-slow", f"no answer to {method} {path}") from None
        except http.client.HTTPException as error:
            said = f"no HTTP answer to {method} {path}: {type(error).__name__}"
            raise Problem("unexpected-answer", said) from None
        except OSError as error:
            raise Problem("cut-off", f"{method} {path}: {error.strerror or error}") from None
