"""What a browser does, without a browser: sign in, ask, follow the answer's stream."""

import re
import time
import uuid
from html import unescape
from urllib.parse import urlencode

from tests.bench.channel import Answer, Channel, encode
from tests.bench.reading import Measured, PortalReader

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FETCH = {"X-Requested-With": "fetch"}


class Refused(Exception):
    """The portal answered otherwise than a browser expects."""


def find(pattern: str, page: str, what: str) -> str:
    match = re.search(pattern, page)
    if match is None:
        raise Refused(f"no {what} in the page: {page[:300]}")
    return unescape(match[1])


class Session:
    """A signed-in person: cookies, and the tenant's address."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.origin = f"http://127.0.0.1:{port}"
        self.cookies: dict[str, str] = {}

    async def sign_in(self, email: str, password: str) -> None:
        channel = await Channel.open(self.port)
        page = (await self._ask(channel, "GET", "/accounts/login/")).body.decode()
        fields = {"csrfmiddlewaretoken": token_of(page), "login": email, "password": password}
        answer = await self._ask(channel, "POST", "/accounts/login/", fields)
        channel.close()
        if answer.status not in {302, 303} or "sessionid" not in self.cookies:
            raise Refused(f"sign-in of {email}: status {answer.status}")

    async def _ask(
        self, channel: Channel, method: str, path: str, fields: dict[str, str] | None = None
    ) -> Answer:
        body = urlencode(fields or {}).encode()
        answer = await channel.ask(encode(method, path, self.headers(), body))
        self.keep(answer)
        return answer

    def headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        named = {"Cookie": cookies} if cookies else {}
        return FORM | named | {"Origin": self.origin, "Referer": self.origin + "/"}

    def keep(self, answer: Answer) -> None:
        for name, value in answer.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]


class Tab:
    """One open conversation of a person, ready for a further message."""

    def __init__(self, session: Session, tenant: str) -> None:
        self._session = session
        self._start = f"/{tenant}/"
        self._action = self._token = ""
        self._channel: Channel | None = None

    async def open(self) -> None:
        """Begin the conversation with a short answer, and load its page."""
        self._read_composer(await self._get(self._start))
        answer = await self._post("tokens=1")
        location = answer.header("location")
        page = await self._get(location)
        if "data-events-url" in page:  # else it has ended already
            await self._follow_turn(page, Measured())
        self._read_composer(page)

    async def ask(self, message: str) -> Measured:
        """Click: post the message, read the answer's stream to the end, show what is kept."""
        measured = Measured(clicked_at=time.monotonic())
        answer = await self._post(message)
        measured.sent_at = time.monotonic()
        await self._follow_turn(answer.body.decode(), measured)
        return measured

    async def list(self) -> float:
        """Load the list of conversations, as our script does; the seconds it took."""
        began = time.monotonic()
        await self._get(f"{self._start}c/", FETCH)
        return time.monotonic() - began

    def _read_composer(self, page: str) -> None:
        form = find(r'(?s)(<form class="composer".*?</form>)', page, "composer")
        self._action = find(r'action="([^"]+)"', form, "action")
        self._token = token_of(form)

    async def _post(self, message: str) -> Answer:
        fields = {"message": message, "csrfmiddlewaretoken": self._token}
        body = urlencode(fields | {"request_id": str(uuid.uuid4())}).encode()
        channel = await self._connection()
        headers = self._session.headers() | FETCH
        answer = await channel.ask(encode("POST", self._action, headers, body))
        if answer.status != 201:
            raise Refused(f"send: status {answer.status} {answer.body[:200]!r}")
        return answer

    async def _follow_turn(self, html: str, measured: Measured) -> None:
        turn = find(r"(?s)(<article[^>]*data-events-url[^>]*>)", html, "live answer")
        await self._follow(find(r'data-events-url="([^"]+)"', turn, "events"), measured)
        await self._get(find(r'data-turn-url="([^"]+)"', turn, "turn"))

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()

    async def _follow(self, path: str, measured: Measured) -> None:
        channel = await Channel.open(self._session.port)
        headers = self._session.headers() | {"Accept": "text/event-stream"}
        try:
            answer = await channel.ask(encode("GET", path, headers), PortalReader(measured))
        finally:
            channel.close()
        if answer.status != 200:
            raise Refused(f"events: status {answer.status}")

    async def _get(self, path: str, headers: dict[str, str] | None = None) -> str:
        channel = await self._connection()
        headers = self._session.headers() | (headers or {})
        answer = await channel.ask(encode("GET", path, headers))
        if answer.status != 200:
            raise Refused(f"GET {path}: status {answer.status}")
        return answer.body.decode()

    async def _connection(self) -> Channel:
        """The page's connection, opened again where the server closed it for idleness."""
        if self._channel is None or not self._channel.is_open:
            self._channel = await Channel.open(self._session.port)
        return self._channel


def token_of(page: str) -> str:
    return find(r'name="csrfmiddlewaretoken" value="([^"]+)"', page, "CSRF token")
