"""What people do in the pages."""

from playwright.sync_api import Locator, Page, expect


def message_box(page: Page) -> Locator:
    """Where a message is typed."""
    return page.get_by_label("Message", exact=True)


def ask(page: Page, text: str) -> None:
    """Type a message and send it with Enter."""
    message_box(page).fill(text)
    page.keyboard.press("Enter")


def log_of(page: Page) -> Locator:
    """The messages."""
    return page.get_by_role("log")


def answers_of(page: Page) -> Locator:
    """The assistant's turns."""
    return page.locator("article[data-role=assistant]")


def wait_for_answer(page: Page, status: str = "completed") -> Locator:
    """The last answer, once it has ended in this state."""
    answer = answers_of(page).last
    expect(answer).to_have_attribute("data-status", status)
    expect(page.locator("article[data-live]")).to_have_count(0)
    return answer


def ask_and_wait(page: Page, text: str, status: str = "completed") -> Locator:
    """The answer to this message, once it has ended."""
    before = answers_of(page).count()
    ask(page, text)
    expect(answers_of(page)).to_have_count(before + 1)
    return wait_for_answer(page, status)


def rows_of(page: Page) -> Locator:
    """The conversations in the list."""
    return page.locator("[data-row]")
