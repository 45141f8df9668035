"""Reads an answer's stream over HTTP, as a browser does, and remembers what came."""

import http.client
import json
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from django.test import Client
from django.urls import reverse

from chat.models import Generation
from tenants.models import Membership
from tests.stack import wait_until

DEADLINE_SECONDS = 30.0


class Heard(NamedTuple):
    """One event of the stream."""

    id: str
    name: str
    data: dict[str, Any]


def cookie_of(membership: Membership) -> str:
    """The Cookie header of a browser in which this person is signed in."""
    client = Client()
    client.force_login(membership.user)
    return f"sessionid={client.cookies['sessionid'].value}"


def events_path(generation: Generation) -> str:
    """Where this answer streams."""
    return reverse("chat:stream_generation", args=[generation.tenant.slug, generation.pk])


class Listener:
    """One connection to a stream, read in a thread until the server closes it or the block ends."""

    def __init__(self, origin: str, path: str, **headers: str) -> None:
        address = urlsplit(origin)
        self._connection = http.client.HTTPConnection(
            address.hostname or "", address.port, timeout=DEADLINE_SECONDS
        )
        self._request = (path, {name.replace("_", "-"): value for name, value in headers.items()})
        self._thread = threading.Thread(target=self._read, daemon=True)
        self.events: list[Heard] = []

    def __enter__(self) -> Self:
        path, headers = self._request
        self._connection.request("GET", path, headers=headers)
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        self.status = HTTPStatus(self._response.status)
        self.headers = self._response.headers
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE_SECONDS)
        self._response.close()
        self._connection.close()

    @property
    def text(self) -> str:
        """What a page shows by now."""
        return text_after(self.events)

    @property
    def end(self) -> dict[str, Any] | None:
        """What the end event said, once it came."""
        return next((event.data for event in self.events if event.name == "end"), None)

    @property
    def is_closed(self) -> bool:
        """Whether the stream is over."""
        return not self._thread.is_alive()

    def wait_for_text(self, text: str) -> None:
        """Return once exactly this text is shown."""
        wait_until(lambda: self.text == text, what=f"{text!r}, only {self.text!r} came")

    def wait_for_end(self, seconds: float = DEADLINE_SECONDS) -> dict[str, Any]:
        """What the end event says; the server must close the stream after it."""
        wait_until(lambda: self.is_closed, seconds=seconds, what="the end of the stream")
        assert self.end is not None, f"closed without an end after {self.events}"
        return self.end

    def _read(self) -> None:
        lines: list[str] = []
        with suppress(OSError, http.client.HTTPException, ValueError):
            while line := self._response.readline():
                lines.append(line.decode().rstrip("\n"))
                if not lines[-1]:
                    self._take(lines)
                    lines = []

    def _take(self, lines: list[str]) -> None:
        fields = dict(line.split(": ", 1) for line in lines if line and not line.startswith(":"))
        if "data" in fields:
            data = json.loads(fields["data"])
            self.events.append(Heard(fields.get("id", ""), fields["event"], data))


def follow(origin: str, member: Membership, generation: Generation, **headers: str) -> Listener:
    """This member listens to this answer."""
    return Listener(origin, events_path(generation), Cookie=cookie_of(member), **headers)


def text_after(events: Iterable[Heard], text: str = "") -> str:
    """The text after these events, given the text before them."""
    for event in list(events):
        if event.name == "snapshot":
            text = event.data["text"]
        elif event.name == "delta":
            text += event.data["text"]
    return text
