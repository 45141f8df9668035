"""Reads a stream of server-sent events, and notes when each line of it arrives."""

import http.client
import json
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from portal.streamcheck.connection import Origin, Request, Unreachable, clock

# As a browser asks: whoever compresses for browsers would do so here.
HEADERS = {"Accept": "text/event-stream", "Accept-Encoding": "gzip, deflate, br"}
_SLACK_SECONDS = 15.0


@dataclass(frozen=True)
class Arrival:
    """An event, or a heartbeat (`name` empty), and when it came: seconds after the request."""

    name: str
    at: float
    data: dict[str, Any] = field(default_factory=dict)


@dataclass
class Measured:
    """What came of one stream. Times are seconds after the request."""

    status: int = 0
    is_portals: bool = False
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case
    headers_at: float = 0.0
    arrivals: list[Arrival] = field(default_factory=list)
    closed_at: float = 0.0
    broken: str = ""  # why it ended, if not by itself

    @property
    def is_compressed(self) -> bool:
        """Whether somebody on the way has compressed it."""
        return self.headers.get("content-encoding", "identity") != "identity"

    @property
    def gaps(self) -> list[float]:
        """The silences between what came, from the request on."""
        times = [0.0, *(arrival.at for arrival in self.arrivals)]
        return [later - earlier for earlier, later in pairwise(times)]

    def named(self, name: str) -> list[Arrival]:
        """The events of this name, in the order in which they came."""
        return [arrival for arrival in self.arrivals if arrival.name == name]


def measure(
    origin: Origin, target: str, headers: dict[str, str], *, seconds: float, last: str
) -> Measured:
    """Read the stream at `target` to its event `last` or its end. Raises Unreachable at first.

    `seconds` is how long the stream is expected to live.
    """
    measured, begun = Measured(), clock()
    request = Request("GET", target, {**HEADERS, **headers})
    try:
        with origin.open(request, seconds=seconds + _SLACK_SECONDS) as (response, is_portals):
            measured.status, measured.is_portals = response.status, is_portals
            measured.headers = {name.lower(): value for name, value in response.headers.items()}
            measured.headers_at = clock() - begun
            if response.status == http.client.OK and not measured.is_compressed:
                _read(response, measured, begun, last)
    except Unreachable as error:
        if not measured.status:
            raise
        measured.broken = str(error)
    measured.closed_at = clock() - begun
    return measured


def _read(response: http.client.HTTPResponse, measured: Measured, begun: float, last: str) -> None:
    fields: dict[str, str] = {}
    while line := response.readline():
        text = line.decode(errors="replace").rstrip("\r\n")
        name, _, value = text.partition(":")
        if text.startswith(":"):
            measured.arrivals.append(Arrival("", clock() - begun))
        elif text:
            fields[name] = value.strip()
        elif event := fields.get("event"):
            measured.arrivals.append(Arrival(event, clock() - begun, _data(fields.get("data", ""))))
            if event == last:
                return
            fields = {}


def _data(text: str) -> dict[str, Any]:
    with suppress(ValueError):
        data = json.loads(text)
        if isinstance(data, dict):
            return data
    return {}
