"""Many browsers that follow answers and connect again by themselves, as EventSource does."""

import asyncio
import json
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from tests.bench.channel import Channel, encode
from tests.stack import wait_until

DEADLINE_SECONDS = 90.0


class Browser:
    """One open answer: what its page shows, and how often it had to connect."""

    def __init__(self, port: int, path: str, cookie: str) -> None:
        self._port, self._path = port, path
        self._headers = {"Accept": "text/event-stream", "Cookie": cookie}
        self._rest = b""
        self.retry_seconds = 3.0
        self.last_id = ""
        self.text = ""
        self.status = ""  # what the end event said
        self.connections = 0
        self.cuts: list[str] = []  # connections that did not end by the rules of HTTP

    async def follow(self) -> None:
        """Connect again and again until the answer has ended."""
        while True:
            await self._connect()
            if self.status:
                return
            await asyncio.sleep(self.retry_seconds)

    async def _connect(self) -> None:
        headers = self._headers | ({"Last-Event-ID": self.last_id} if self.last_id else {})
        self._rest = b""
        try:
            channel = await Channel.open(self._port)
        except OSError:
            return  # nobody serves just now
        self.connections += 1
        try:
            answer = await channel.ask(encode("GET", self._path, headers), self._take)
        except ConnectionError as error:
            self.cuts.append(str(error))
        else:
            assert answer.status == 200, answer
        finally:
            channel.close()

    def _take(self, body: bytes) -> None:
        *events, self._rest = (self._rest + body).split(b"\n\n")
        for event in events:
            lines = [line for line in event.decode().split("\n") if not line.startswith(":")]
            self._note(dict(line.split(": ", 1) for line in lines))

    def _note(self, fields: dict[str, str]) -> None:
        if "retry" in fields:
            self.retry_seconds = int(fields["retry"]) / 1000
        self.last_id = fields.get("id", self.last_id)
        data = json.loads(fields.get("data", "{}"))
        match fields.get("event"):
            case "snapshot":
                self.text = data["text"]
            case "delta":
                self.text += data["text"]
            case "end":
                self.status = data["status"]


class Browsers:
    """These browsers, in a thread of their own, until the block ends."""

    def __init__(self, port: int, paths: Sequence[str], cookie: str) -> None:
        self.all = [Browser(port, path, cookie) for path in paths]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._follow()), daemon=True)
        self._problems: list[BaseException] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.join(0 if error else DEADLINE_SECONDS)

    def wait_for_text(self, text: str) -> None:
        """Return once every page shows exactly this text."""
        wait_until(
            lambda: all(browser.text == text for browser in self.all),
            seconds=DEADLINE_SECONDS,
            what=f"{text!r} in each of {[browser.text for browser in self.all]}",
        )

    def wait_for_connections(self, count: int) -> None:
        """Return once every browser has connected so many times."""
        wait_until(
            lambda: all(browser.connections >= count for browser in self.all),
            seconds=DEADLINE_SECONDS,
            what=f"{count} connections of each",
        )

    def wait_for_ends(self) -> None:
        """Return once every answer has ended for its browser."""
        self._thread.join(DEADLINE_SECONDS)
        late = [browser.last_id for browser in self.all if not browser.status]
        assert not late, f"{len(late)} of {len(self.all)} have no end; {self._problems}"

    async def _follow(self) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            results = [browser.follow() for browser in self.all]
            done = await asyncio.gather(*results, return_exceptions=True)
        self._problems += [each for each in done if each is not None]
