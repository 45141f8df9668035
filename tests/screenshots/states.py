"""The ways in which an answer does not come to its end, each with the question that meets it."""

from playwright.sync_api import Page, expect

from tests.screenshots.browser import DESKTOP, PHONE, Sitting, sitting
from tests.screenshots.scenes import NOAH, THEMES, Studio
from tests.upstream import Fault, Refusal, Reply, Upstream, refusals

_TEXT = """\
The old lighthouse was built in 1871 and lit with rape oil at first. Three keepers took turns:

1. One looked after the lamp.
2. One wrote the log and
"""

# By a word of the question; the last one pauses the model, so it comes last.
_SCRIPTS: dict[str, Reply | Refusal] = {
    "lighthouse": Reply(_TEXT, finish_reason="length"),
    "keepers": Reply(_TEXT, fault=Fault.CUT, fault_at=len(_TEXT.split()) - 3),
    "kill": refusals.content_filter("self_harm"),
    "harbour": refusals.unauthorised(),
    "tide": refusals.rate_limited(110),
}
_STATES = {
    "truncated": "Write the history of our lighthouse",
    "interrupted": "Who were its keepers?",
    "filtered": "How do I kill a process that hangs?",
    "failed": "When was the harbour built?",
    "queued": "When is high tide on Friday?",
}


def script(upstream: Upstream) -> None:
    """Give the model what it meets each question with."""
    for word, reply in _SCRIPTS.items():
        upstream.when(word, reply)


def states(studio: Studio) -> None:
    """Each state, light and dark, on a desktop and on a phone."""
    addresses = _ask_all(studio)
    for screen in (DESKTOP, PHONE):
        for theme in THEMES:
            suffix = f"{'phone' if screen.is_phone else 'desktop'}-{theme}"
            place = (studio.browser, studio.url, studio.folder)
            with sitting(*place, screen=screen, theme=theme) as noah:
                noah.sign_in(NOAH, studio.passwords[NOAH])
                for status, address in addresses.items():
                    _take(noah, status, address, suffix)


def _ask_all(studio: Studio) -> dict[str, str]:
    """Where the conversation of each state is."""
    addresses = {}
    with sitting(studio.browser, studio.url, studio.folder) as noah:
        noah.sign_in(NOAH, studio.passwords[NOAH])
        for status, question in _STATES.items():
            noah.page.goto("/northwind/")
            noah.ask(question)
            _wait_for(noah.page, status)
            addresses[status] = noah.page.url
    return addresses


def _wait_for(page: Page, status: str) -> None:
    if status == "queued":
        expect(page.get_by_text("asks to wait")).to_be_visible(timeout=20_000)
    else:
        turn = page.locator(f"article[data-status={status}]")
        expect(turn).to_be_visible(timeout=20_000)


def _take(noah: Sitting, status: str, address: str, suffix: str) -> None:
    noah.page.goto(address)
    _wait_for(noah.page, status)
    if status == "filtered":
        noah.page.get_by_text("Edit and send again").click()
    noah.take(f"{status}-{suffix}")
