"""Ask, and get an answer, once; or a failure in words."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from chat.models import Generation, Message, UsageEntry
from tests.e2e.pages import ask, ask_and_wait, log_of, message_box, wait_for_answer
from tests.stack import wait_until
from tests.upstream import Refusal, Reply, Upstream, refusals

SENTENCE = "I am a **small** model and here to help."


@pytest.mark.parametrize(
    ("words", "script"),
    [
        ("could not be reached", refusals.overloaded(600)),
        ("at its limit", refusals.rate_limited(600)),
        ("longer than the model can read", refusals.context_too_long()),
        ("refused Atrium", refusals.unauthorised()),
    ],
)
def test_a_failure_is_told_in_words_and_the_message_is_kept(
    page: Page, upstream: Upstream, words: str, script: Refusal
) -> None:
    upstream.next(script)

    answer = ask_and_wait(page, "Hello", "failed")

    expect(answer).to_contain_text(words)
    expect(log_of(page)).to_contain_text("Hello")


def test_a_double_click_on_send_makes_one_run_and_one_bill(page: Page, upstream: Upstream) -> None:
    message_box(page).fill("Hello")

    page.get_by_role("button", name="Send").dblclick()

    page.wait_for_url(re.compile("/c/"))
    wait_for_answer(page)
    assert (Message.objects.filter(role="user").count(), UsageEntry.objects.count()) == (1, 1)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("is_first", [True, False], ids=["first message", "further message"])
def test_a_send_whose_answer_was_lost_is_the_same_send_when_repeated(
    page: Page, upstream: Upstream, is_first: bool
) -> None:
    if not is_first:
        ask_and_wait(page, "Before")
    sent = Message.objects.filter(role="user").count()

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route(re.compile("/(start|messages)/$"), lose, times=1)
    ask(page, "Hello")
    expect(message_box(page)).to_have_value("Hello")
    expect(page.get_by_role("alert")).to_contain_text("Your text is kept")
    wait_until(lambda: not Generation.objects.live().exists())
    page.keyboard.press("Enter")

    expect(message_box(page)).to_have_value("")
    page.wait_for_url(re.compile(r"/c/[0-9a-f-]{36}/"))
    expect(wait_for_answer(page)).to_contain_text("Hello from the model.")
    assert Message.objects.filter(role="user").count() == sent + 1
    assert len(upstream.requests) == UsageEntry.objects.count() == sent + 1


def test_the_conversation_goes_on_with_what_was_said(page: Page, upstream: Upstream) -> None:
    upstream.next(Reply("First answer."))
    ask_and_wait(page, "First question")

    ask_and_wait(page, "Second question")

    said = [(message["role"], message["content"]) for message in upstream.requests[1].messages]
    assert said == [
        ("user", "First question"),
        ("assistant", "First answer."),
        ("user", "Second question"),
    ]
    expect(page).to_have_title(re.compile("First question"))
