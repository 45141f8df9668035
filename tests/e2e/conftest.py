"""A real Chromium, and people who use the running portal with it."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from chat.models import Deployment
from tenants.models import Membership
from tests.stack import Stack

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--renderer-process-limit=1",  # none is kept ready for pages that never come
]
TIMEOUT_MS = 20_000


def find_chromium() -> str:
    """The path of a Chromium: $CHROMIUM, or the first one on PATH."""
    named = os.environ.get("CHROMIUM", "")
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), "")
    assert named or found, "no Chromium: install Debian's package chromium, or set $CHROMIUM"
    return named or found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each person gets a profile of their own."""
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=OPTIONS)
        yield chromium
        chromium.close()


class Watch:
    """Notes what no page may do: fail in a script, break its policy, ask, or call elsewhere."""

    def __init__(self, origin: str) -> None:
        self.problems: list[str] = []
        self._origin = origin

    def watch(self, page: Page) -> None:
        """Note everything of this page."""
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.problems.append(f"script error: {error}"))
        page.on("request", self._note_request)
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self._origin, "data:image/", "blob:")):
            self.problems.append(f"request to {request.url}")


NewProfile = Callable[..., BrowserContext]


@pytest.fixture
def new_profile(browser: Browser, stack: Stack) -> Iterator[NewProfile]:
    """Opens an empty profile; what goes wrong in any of its pages fails the test."""
    watch = Watch(stack.url)
    profiles = []

    def new_profile(**options: Any) -> BrowserContext:
        profile = browser.new_context(base_url=stack.url, **options)
        profile.set_default_timeout(TIMEOUT_MS)
        profile.on("page", watch.watch)
        profiles.append(profile)
        return profile

    yield new_profile
    for profile in profiles:
        profile.close()
    assert not watch.problems


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(new_profile: NewProfile, stack: Stack) -> SignIn:
    """A page of the tenant, in a profile in which this person is signed in."""

    def sign_in(membership: Membership, **options: Any) -> Page:
        client = Client()
        client.force_login(membership.user)
        profile = new_profile(**options)
        cookie = client.cookies["sessionid"].value
        profile.add_cookies([{"name": "sessionid", "value": cookie, "url": stack.url}])
        page = profile.new_page()
        page.goto(f"/{membership.tenant.slug}/")
        return page

    return sign_in


@pytest.fixture
def page(sign_in: SignIn, member: Membership, deployment: Deployment) -> Page:
    """The empty page, in which bob may begin."""
    return sign_in(member)
