"""The pictures: who looks at what."""

from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.screenshots.answers import QUESTIONS
from tests.screenshots.browser import DESKTOP, PHONE, Screen, Theme, sitting
from tests.upstream import Gate

NOAH = "noah@northwind.example"
ROBIN = "robin@partner.example"
THEMES: tuple[Theme, ...] = ("light", "dark")


@dataclass(frozen=True)
class Studio:
    """Where the pictures are taken."""

    browser: Browser
    url: str
    passwords: dict[str, str]
    folder: Path


def entrance(studio: Studio) -> None:
    """Sign-in, and the chooser of somebody who belongs to two tenants."""
    for theme in THEMES:
        with sitting(studio.browser, studio.url, studio.folder, theme=theme) as robin:
            robin.page.goto("/accounts/login/")
            robin.take(f"sign-in-{theme}")
            robin.sign_in(ROBIN, studio.passwords[ROBIN])
            robin.take(f"tenants-{theme}")


def writing(studio: Studio, gate: Gate) -> None:
    """The questions of a day; the last answer is caught half-way."""
    with sitting(studio.browser, studio.url, studio.folder) as noah:
        noah.sign_in(NOAH, studio.passwords[NOAH])
        for question in QUESTIONS:
            noah.page.goto("/northwind/")
            noah.ask(question)
            if question == QUESTIONS[-1]:
                expect(noah.page.get_by_role("log")).to_contain_text("Heat pump")
                noah.take("writing-light")
                gate.open()
            noah.wait_for_answer()


def chat(studio: Studio, screen: Screen, theme: Theme) -> None:
    """An empty chat and two conversations, on one kind of screen in one theme."""
    suffix = f"{'phone' if screen.is_phone else 'desktop'}-{theme}"
    with sitting(studio.browser, studio.url, studio.folder, screen=screen, theme=theme) as noah:
        noah.sign_in(NOAH, studio.passwords[NOAH])
        noah.take(f"new-chat-{suffix}")
        links = noah.page.locator("#sidebar a[href*='/c/']")
        addresses = [link.get_attribute("href") or "" for link in links.all()]
        for name, address in zip(("table", "code"), addresses, strict=False):
            noah.page.goto(address)
            noah.wait_for_answer()
            noah.take(f"{name}-{suffix}")
        if screen.is_phone:
            noah.page.get_by_role("link", name="Open sidebar").click()
            noah.take(f"drawer-{suffix}")


def take_all(studio: Studio, gate: Gate) -> None:
    """Every picture; `gate` holds the answer that is caught half-way."""
    studio.folder.mkdir(parents=True, exist_ok=True)
    entrance(studio)
    writing(studio, gate)
    for screen in (DESKTOP, PHONE):
        for theme in THEMES:
            chat(studio, screen, theme)
