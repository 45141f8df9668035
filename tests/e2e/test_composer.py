"""Writing and sending: keys, drafts, and what happens to the text when sending fails."""

import re

from playwright.sync_api import Page, expect

from chat.models import Message
from tests.e2e.pages import answers_of, ask, ask_and_wait, log_of, message_box, wait_for_answer
from tests.stack import Stack
from tests.upstream import Gate, Reply, Upstream


def test_enter_sends_and_shift_enter_breaks_the_line(page: Page) -> None:
    message_box(page).press_sequentially("One")
    page.keyboard.press("Shift+Enter")
    message_box(page).press_sequentially("two")
    expect(message_box(page)).to_have_value("One\ntwo")

    page.keyboard.press("Enter")

    wait_for_answer(page)
    assert Message.objects.get(role="user").content == "One\ntwo"


def test_enter_in_an_input_method_sends_nothing(page: Page) -> None:
    message_box(page).fill("にほん")

    for options in ("{isComposing: true}", "{keyCode: 229}"):
        page.evaluate(
            f"""document.querySelector("#message").dispatchEvent(new KeyboardEvent("keydown", {{
                key: "Enter", bubbles: true, cancelable: true, ...{options} }}))"""
        )

    expect(message_box(page)).to_have_value("にほん")
    assert not Message.objects.exists()


def test_nothing_but_blanks_is_not_sent(page: Page) -> None:
    message_box(page).fill("  \n ")

    page.keyboard.press("Enter")

    expect(page.locator("[data-hint]")).to_contain_text("Write a message first.")
    assert not Message.objects.exists()


def test_a_draft_survives_a_reload_in_its_own_conversation(page: Page) -> None:
    ask_and_wait(page, "Hello")
    message_box(page).fill("Not yet finished")

    page.reload()
    expect(message_box(page)).to_have_value("Not yet finished")
    page.get_by_role("link", name="New chat").first.click()
    expect(message_box(page)).to_have_value("")
    page.go_back()

    expect(message_box(page)).to_have_value("Not yet finished")


def test_a_sent_message_leaves_no_draft(page: Page) -> None:
    message_box(page).press_sequentially("Hello")
    page.keyboard.press("Enter")
    wait_for_answer(page)

    page.reload()
    expect(message_box(page)).to_have_value("")
    page.goto("/acme/")

    expect(message_box(page)).to_have_value("")


def test_text_comes_back_when_the_portal_is_away_and_is_sent_once_it_is_there(
    page: Page, stack: Stack, upstream: Upstream
) -> None:
    stack.kill(stack.web)
    ask(page, "Hello")
    expect(page.get_by_role("alert")).to_contain_text("Atrium cannot be reached.")
    expect(message_box(page)).to_have_value("Hello")
    expect(log_of(page)).not_to_contain_text("Hello")
    stack.restore()

    page.keyboard.press("Enter")

    page.wait_for_url(re.compile("/c/"))
    wait_for_answer(page)
    assert len(upstream.requests) == 1


def test_a_refusal_by_the_network_is_told_and_the_text_comes_back(page: Page) -> None:
    ask_and_wait(page, "Hello")
    page.route(
        "**/messages/",
        lambda route: route.fulfill(status=403, content_type="text/html", body="<h1>Blocked</h1>"),
    )

    ask(page, "select * from users")

    expect(page.get_by_role("alert")).to_contain_text("(403)")
    expect(message_box(page)).to_have_value("select * from users")
    assert Message.objects.filter(role="user").count() == 1


def test_a_session_that_is_over_loses_no_text(page: Page) -> None:
    ask_and_wait(page, "Hello")
    page.context.clear_cookies(name="sessionid")

    ask(page, "Are you there?")

    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    expect(message_box(page)).to_have_value("Are you there?")


def test_no_second_message_is_sent_while_an_answer_is_written(
    page: Page, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.next(Reply("One two three", gate=gate, gate_at=2))
    ask(page, "First")
    expect(log_of(page)).to_contain_text("One two")

    ask(page, "Second")

    expect(page.locator("[data-hint]")).to_contain_text("Wait for the answer")
    expect(message_box(page)).to_have_value("Second")
    gate.open()
    wait_for_answer(page)
    page.keyboard.press("Enter")
    expect(answers_of(page)).to_have_count(2)
    wait_for_answer(page)
    assert [request.prompt for request in upstream.requests] == ["First", "Second"]
