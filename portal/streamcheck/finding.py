"""Is there a portal behind this address?"""

import re

from portal.health import ALIVE_PATH
from portal.streamcheck.connection import Answer, Origin, Request, Unreachable

_LOGIN_PATH = "/accounts/login/"


def find_portal(origin: Origin) -> None:
    """Return when the portal answers there; else Unreachable, with what is there instead."""
    alive = origin.ask(Request("GET", ALIVE_PATH))
    if alive.json != {"alive": True}:
        raise Unreachable(_what_is_there(origin, alive))
    page = origin.ask(Request("GET", _LOGIN_PATH))
    if page.status == 400 and page.is_portals:
        raise Unreachable(
            f"The portal does not know the host name {origin.host}: it belongs into ALLOWED_HOSTS"
            " or PUBLIC_URL."
        )
    if page.status != 200:
        raise Unreachable(_what_is_there(origin, page))
    if not page.is_portals:
        raise Unreachable(
            "The answers carry no X-Request-Id, or not the one of the request: something on the way"
            " takes it away, so that nobody can tell who refuses a request."
        )


def _what_is_there(origin: Origin, answer: Answer) -> str:
    """One sentence about an answer that is not Atrium's."""
    location = answer.headers.get("Location", "")
    if 300 <= answer.status < 400:
        return f"{origin.url} redirects to {location}. If that is the portal, give its address."
    if answer.status in {502, 503, 504}:
        return (
            f"The gateway at {origin.url} answers {answer.status}: no portal is healthy behind it."
            " Look at its backend health, and at /readyz."
        )
    if answer.status == 403:
        return (
            f"{origin.url} refuses this machine (403) before the portal is asked: its network is"
            " not allowed, or the app is reached past its gateway."
        )
    title = re.search(r"<title>\s*([^<]{1,80})", answer.text)
    named = f" (“{title[1].strip()}”)" if title else ""
    return f"There is no Atrium at {origin.url}: it answers {answer.status}{named}."
