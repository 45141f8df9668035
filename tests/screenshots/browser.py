"""A person's browser: its size, its theme, and the steps that the pictures need."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, expect

Theme = Literal["light", "dark"]


@dataclass(frozen=True)
class Screen:
    """What a picture is taken on."""

    width: int
    height: int
    is_phone: bool = False


DESKTOP = Screen(1440, 900)
PHONE = Screen(390, 844, is_phone=True)


class Sitting:
    """One page in a profile of its own. What the console reports as an error ends the run."""

    def __init__(self, page: Page, folder: Path) -> None:
        self.page = page
        self._folder = folder
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda m: self.problems.append(m.text) if m.type == "error" else None)

    def sign_in(self, email: str, password: str) -> None:
        """Through the sign-in page."""
        self.page.goto("/accounts/login/")
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(lambda url: "/accounts/" not in url)

    def ask(self, text: str) -> None:
        """Send a message; the page of its conversation is there afterwards."""
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.get_by_role("button", name="Send").click()
        self.page.wait_for_url("**/c/*/")

    def wait_for_answer(self) -> None:
        """Until the answer is complete, and its code is coloured."""
        expect(self.page.get_by_role("log")).to_have_attribute("aria-busy", "false", timeout=20_000)
        expect(self.page.get_by_role("button", name="Copy answer").last).to_be_visible()
        self.page.wait_for_load_state("networkidle")

    def take(self, name: str) -> None:
        """The picture, as `name`.png, without a blinking caret."""
        path = self._folder / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled", caret="hide")
        print(path)


@contextmanager
def sitting(
    browser: Browser, url: str, folder: Path, *, screen: Screen = DESKTOP, theme: Theme = "light"
) -> Iterator[Sitting]:
    """Somebody sits down at a screen with this theme, and leaves at the end."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": screen.width, "height": screen.height},
        color_scheme=theme,
        device_scale_factor=2 if screen.is_phone else 1,
        is_mobile=screen.is_phone,
        has_touch=screen.is_phone,
    )
    person = Sitting(context.new_page(), folder)
    yield person
    context.close()
    if person.problems:
        raise SystemExit("the page reported:\n" + "\n".join(person.problems))
