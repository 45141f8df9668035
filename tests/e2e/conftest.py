"""A real Chromium, and people who sign in to the running portal with it."""

import os
import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tenants.models import Membership
from tests.conftest import PASSWORD
from tests.stack import Stack

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def find_chromium() -> str:
    """The path of a Chromium: $CHROMIUM, or the first one on PATH."""
    named = os.environ.get("CHROMIUM", "")
    found = next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), "")
    assert named or found, "no Chromium: install Debian's package chromium, or set $CHROMIUM"
    return named or found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests; each page gets a profile of its own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=OPTIONS)
        yield chromium
        chromium.close()


SignIn = Callable[[Membership], Page]


@pytest.fixture
def sign_in(browser: Browser, stack: Stack) -> Iterator[SignIn]:
    """Signs a person in through the sign-in page, in a profile of their own.

    A page that broke its content security policy, or whose script failed, fails the test.
    """
    problems: list[str] = []
    contexts = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            problems.append(message.text)

    def sign_in(membership: Membership) -> Page:
        context = browser.new_context(base_url=stack.url)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", note)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto("/")
        page.get_by_label("Email").fill(membership.user.email)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**/{membership.tenant.slug}/")
        return page

    yield sign_in
    for context in contexts:
        context.close()
    assert not problems
