"""Copy buttons, and code blocks."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.pages import ask_and_wait, wait_for_answer
from tests.upstream import Reply, Upstream

CODE = "def double(number):\n    return 2 * number\n"
ANSWER = f"Here **it** is:\n\n```python\n{CODE}```\n\nDone."


def clipboard_of(page: Page) -> str:
    """What was copied last."""
    return str(page.evaluate("navigator.clipboard.readText()"))


@pytest.fixture
def answered(page: Page, upstream: Upstream) -> Page:
    """A conversation whose answer holds code."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    upstream.always(Reply(list(ANSWER)))
    ask_and_wait(page, "Write code")
    return page


@pytest.mark.parametrize("is_reloaded", [False, True], ids=["streamed", "reloaded"])
def test_code_is_highlighted_and_copied_as_it_is(answered: Page, is_reloaded: bool) -> None:
    if is_reloaded:
        answered.reload()
    block = wait_for_answer(answered).locator("figure")

    expect(block.locator("figcaption")).to_contain_text("python")
    expect(block.locator(".hljs-keyword").first).to_have_text("def")
    block.get_by_role("button", name="Copy").click()
    expect(block.get_by_role("button", name="Copied")).to_be_visible()

    assert clipboard_of(answered) == CODE


@pytest.mark.parametrize("is_reloaded", [False, True], ids=["streamed", "reloaded"])
def test_an_answer_is_copied_as_markdown(answered: Page, is_reloaded: bool) -> None:
    if is_reloaded:
        answered.reload()

    wait_for_answer(answered).get_by_role("button", name="Copy answer").click()
    expect(answered.get_by_role("status")).to_have_text("Copied")

    assert clipboard_of(answered) == ANSWER
