"""Signs in like a person, and measures one real answer."""

import re
import uuid
from dataclasses import dataclass, field
from html import unescape
from http import HTTPStatus
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from portal.streamcheck.connection import Answer, Origin, Request, Unreachable
from portal.streamcheck.measuring import Measured, measure

LOGIN_PATH = "/accounts/login/"
QUESTION = "Count from one to twenty in words."
_ANSWER_SECONDS = 120.0
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_EVENTS = re.compile(r'data-events-url="([^"]+)"')


@dataclass
class Browser:
    """Keeps cookies, and sends the forms of the pages that it was shown."""

    origin: Origin
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def get(self, path: str) -> Answer:
        """A page; redirects are not followed."""
        return self._ask(Request("GET", path, self.headers()))

    def post(self, path: str, *, is_fetch: bool = False, **fields: str) -> Answer:
        """A form of the last page that had one."""
        body = urlencode({"csrfmiddlewaretoken": self.token, **fields}).encode()
        headers = {**self.headers(), "Content-Type": "application/x-www-form-urlencoded"}
        headers |= {"Origin": self.origin.url, "Referer": f"{self.origin.url}{path}"}
        if is_fetch:
            headers["X-Requested-With"] = "fetch"
        return self._ask(Request("POST", path, headers, body))

    def headers(self) -> dict[str, str]:
        """What every request of it carries."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"Cookie": cookies} if cookies else {}

    def _ask(self, request: Request) -> Answer:
        answer = self.origin.ask(request)
        if not answer.is_portals:
            raise Unreachable(f"The gateway refused {request.target} with {answer.status}.")
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
        if found := _TOKEN.search(answer.text):
            self.token = found[1]
        return answer


def measure_answer(origin: Origin, *, email: str, password: str, tenant: str) -> Measured:
    """Ask one question as this person, and read its answer. What was made for it is deleted.

    Raises Unreachable.
    """
    browser = Browser(origin)
    _sign_in(browser, email, password)
    place = f"/{tenant}/" if tenant else _only_tenant(browser)
    conversation = _begin(browser, place)
    try:
        events = _EVENTS.search(browser.get(conversation).text)
        if events is None:
            raise Unreachable("The answer had ended before its stream could be opened. Try again.")
        path = unescape(events[1])
        return measure(origin, path, browser.headers(), seconds=_ANSWER_SECONDS, last="end")
    finally:
        browser.post(f"{conversation}delete/", is_fetch=True)
        browser.post("/accounts/logout/")


def _sign_in(browser: Browser, email: str, password: str) -> None:
    browser.get(LOGIN_PATH)
    answer = browser.post(LOGIN_PATH, login=email, password=password)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unreachable("Too many attempts to sign in. Wait some minutes.")
    if answer.status != HTTPStatus.FOUND:
        raise Unreachable(f"{email} cannot sign in: wrong address or password, or an old account.")


def _only_tenant(browser: Browser) -> str:
    """Where a person with one tenant lands."""
    home = browser.get("/")
    location = urlsplit(home.headers.get("Location", "")).path
    if home.status == HTTPStatus.FOUND and location != LOGIN_PATH:
        return location
    raise Unreachable("This person has no tenant, or several: name one with --tenant.")


def _begin(browser: Browser, place: str) -> str:
    """A new conversation; its path."""
    page = browser.get(place)
    if page.status != HTTPStatus.OK:
        raise Unreachable(f"{place} answers {page.status}: is this person a member there?")
    sent = browser.post(
        f"{place}c/start/", is_fetch=True, message=QUESTION, request_id=str(uuid.uuid4())
    )
    if sent.status != HTTPStatus.CREATED:
        error = sent.json.get("error", {}) if isinstance(sent.json, dict) else {}
        reason = error.get("message", f"status {sent.status}")
        raise Unreachable(f"The question was not taken: {reason}")
    return urlsplit(sent.headers.get("Location", "")).path
