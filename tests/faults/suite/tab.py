"""One open conversation in a browser that does not give up.

A send that got no answer is sent again with the same request id; a stream that breaks is opened
again from the last event that came, as EventSource and our script (eventstream.js) do.
"""

import asyncio
import re
import time
import uuid
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

from tests.bench.channel import Answer, Channel, encode
from tests.bench.person import FETCH, Refused, Session, find, token_of
from tests.faults.suite.cases import Case
from tests.faults.suite.shown import Shown

REQUEST_SECONDS = 20.0
AGAIN_SECONDS = 0.5
RECONNECT_SECONDS = 1.0  # what our streams ask browsers for
SLOWEST_RECONNECT_SECONDS = 15.0
_TURN = re.compile(r"(?s)<article[^>]*data-generation.*?</article>")


@dataclass
class Sent:
    """One message, and what its browser was told. Times are monotonic seconds."""

    number: int
    case: Case
    shown: Shown = field(default_factory=Shown)
    acknowledged_at: float = 0.0
    ended_at: float = 0.0
    status: str = ""  # of the turn that the page shows in the end
    text: str = ""
    problem: str = ""

    @property
    def seconds(self) -> float:
        """From the acknowledgement to the end that the page shows."""
        return self.ended_at - self.acknowledged_at

    @property
    def message(self) -> str:
        return self.case.message(self.number)


class Tab:
    """A conversation, begun by its first message with the deployment of that message's case."""

    def __init__(self, session: Session, tenant: str, deployments: dict[str, str]) -> None:
        self._session = session
        self._start = f"/{tenant}/"
        self._deployments = deployments
        self._action = self._token = ""

    async def ask(self, sent: Sent, limit_seconds: float) -> None:
        """Send the message and follow its answer to the end; `problem` says what went wrong."""
        try:
            async with asyncio.timeout(limit_seconds):
                await self._follow(await self._send(sent), sent)
        except TimeoutError:
            state = "no end" if sent.acknowledged_at else "not stored"
            sent.problem = f"{state} within {limit_seconds:g} s"
        except Refused as refusal:
            sent.problem = str(refusal)

    async def _send(self, sent: Sent) -> str:
        """The page or fragment with the live answer."""
        if not self._action:
            self._read_composer(await self._get(self._start))
        fields = {"message": sent.message, "request_id": str(uuid.uuid4())}
        fields |= {"csrfmiddlewaretoken": self._token}
        fields |= {"deployment": self._deployments[sent.case.deployment]}
        answer = await self._insist("POST", self._action, urlencode(fields).encode())
        if answer.status != 201:
            raise Refused(f"send: status {answer.status} {answer.body[:200]!r}")
        sent.acknowledged_at = time.monotonic()
        if not (location := answer.header("location")):
            return answer.body.decode()
        page = await self._get(location)
        self._read_composer(page)
        return page

    async def _follow(self, page: str, sent: Sent) -> None:
        turn = _TURN.findall(page)[-1]
        turn_url = find(r'data-turn-url="([^"]+)"', turn, "turn")
        if "data-events-url" in turn:  # else it has ended already
            await self._listen(find(r'data-events-url="([^"]+)"', turn, "events"), turn_url, sent)
        elif not await self._take(turn_url, sent):
            raise Refused("an answer that has no stream has not ended")

    async def _listen(self, events_url: str, turn_url: str, sent: Sent) -> None:
        failures = 0
        while True:
            status = await self._connect(events_url, sent.shown)
            if sent.shown.end is None and status in {0, 200}:
                await asyncio.sleep(RECONNECT_SECONDS)
                continue
            if await self._take(turn_url, sent):
                return
            failures += 1
            await asyncio.sleep(min(0.5 * 2**failures, SLOWEST_RECONNECT_SECONDS))
            sent.shown.last_id, sent.shown.end = "", None  # a new EventSource

    async def _connect(self, url: str, shown: Shown) -> int:
        """One connection of the stream until it closes; its status, 0 where there was none."""
        headers = self._session.headers() | {"Accept": "text/event-stream"}
        if shown.last_id:
            headers["Last-Event-ID"] = shown.last_id
        shown.begin()
        try:
            channel = await Channel.open(self._session.port)
            try:
                return (await channel.ask(encode("GET", url, headers), shown)).status
            finally:
                channel.close()
        except OSError:
            return 0

    async def _take(self, turn_url: str, sent: Sent) -> bool:
        """Take the turn as the page shows it from now on; False when it has not ended."""
        turns = _TURN.findall(await self._get(turn_url))
        turn = turns[-1] if turns else ""
        if not turn or "data-live" in turn:
            return False
        sent.status = find(r'data-status="([^"]+)"', turn, "status")
        text = re.search(r"(?s)data-markdown[^>]*>(.*?)</div>", turn)
        sent.text = unescape(text[1]) if text else ""
        sent.ended_at = time.monotonic()
        return True

    def _read_composer(self, page: str) -> None:
        form = find(r'(?s)(<form class="composer".*?</form>)', page, "composer")
        self._action = find(r'action="([^"]+)"', form, "action")
        self._token = token_of(form)

    async def _get(self, path: str) -> str:
        answer = await self._insist("GET", path)
        if answer.status != 200:
            raise Refused(f"GET {path}: status {answer.status}")
        return answer.body.decode()

    async def _insist(self, method: str, path: str, body: bytes = b"") -> Answer:
        """The answer, asked for again while there is none or only a fault of the server."""
        headers = self._session.headers() | FETCH
        while True:
            answer = await self._once(encode(method, path, headers, body))
            if answer is not None and answer.status < 500:
                return answer
            await asyncio.sleep(AGAIN_SECONDS)

    async def _once(self, request: bytes) -> Answer | None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                channel = await Channel.open(self._session.port)
                try:
                    return await channel.ask(request)
                finally:
                    channel.close()
        except (OSError, TimeoutError):
            return None
