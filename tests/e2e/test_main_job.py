"""Ask, and watch the answer stream: to its end, to a stop, to a failure, and in two tabs."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from chat.models import Generation, Message, UsageEntry
from tests.e2e.pages import answers_of, ask, ask_and_wait, log_of, message_box, wait_for_answer
from tests.stack import wait_until
from tests.upstream import Fault, Gate, Refusal, Reply, Upstream, refusals

SENTENCE = "I am a **small** model and here to help."


def test_an_answer_arrives_in_steps_and_survives_a_reload(page: Page, upstream: Upstream) -> None:
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=4))
    log = log_of(page)

    ask(page, "Hello, who are you?")
    expect(log).to_contain_text("I am a small")
    expect(log).not_to_contain_text("here to help")
    page.reload()
    expect(log).to_contain_text("I am a small")
    gate.open()
    expect(log).to_contain_text("I am a small model and here to help.")
    expect(log.locator("strong")).to_have_text("small")
    before = wait_for_answer(page).locator("[data-markdown]").inner_html()
    page.reload()

    expect(log).to_contain_text("Hello, who are you?")
    after = wait_for_answer(page).locator("[data-markdown].is-rendered")
    assert after.inner_html() == before
    assert len(upstream.requests) == 1


def test_a_second_tab_shows_the_same_answer_while_it_streams(
    page: Page, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=4))
    ask(page, "Hello")
    expect(log_of(page)).to_contain_text("I am a small")

    other = page.context.new_page()
    other.goto(page.url)
    expect(log_of(other)).to_contain_text("I am a small")
    expect(log_of(other)).not_to_contain_text("here to help")
    gate.open()

    for tab in (page, other):
        expect(wait_for_answer(tab)).to_contain_text("I am a small model and here to help.")
    assert len(upstream.requests) == 1


def test_stop_keeps_what_was_shown_and_says_so(page: Page, upstream: Upstream) -> None:
    upstream.next(Reply(SENTENCE, gate=Gate(), gate_at=4))
    ask(page, "Hello")
    expect(log_of(page)).to_contain_text("I am a small")

    page.get_by_role("button", name="Stop answering").click()

    answer = wait_for_answer(page, "stopped")
    expect(answer).to_contain_text("You stopped this answer. What had arrived is kept.")
    expect(answer.locator("[data-markdown]")).to_have_text("I am a small")
    page.reload()
    expect(wait_for_answer(page, "stopped")).to_contain_text("I am a small")
    expect(ask_and_wait(page, "Go on")).to_contain_text("Hello from the model.")


def test_escape_stops_an_answer_that_has_not_begun(page: Page, upstream: Upstream) -> None:
    upstream.hangs()
    ask(page, "Hello")
    expect(page.get_by_role("button", name="Stop answering")).to_be_visible()

    page.keyboard.press("Escape")

    expect(wait_for_answer(page, "stopped")).to_contain_text(
        "You stopped this before any of the answer arrived."
    )


@pytest.mark.parametrize(
    ("words", "script"),
    [
        ("could not be reached", refusals.server_error()),
        ("at its limit", refusals.rate_limited()),
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


def test_a_filtered_message_is_told_with_its_category(page: Page, upstream: Upstream) -> None:
    upstream.next(refusals.content_filter("violence"))

    answer = ask_and_wait(page, "Hello", "filtered")

    expect(answer).to_contain_text("did not let this message through (category: violence)")


def test_retry_after_a_failure_answers_in_its_place(page: Page, upstream: Upstream) -> None:
    upstream.next(Reply(SENTENCE, fault=Fault.CUT, fault_at=4))
    answer = ask_and_wait(page, "Hello", "interrupted")
    expect(answer).to_contain_text("What had arrived is kept.")

    answer.get_by_role("button", name="Try again").click()

    expect(wait_for_answer(page)).to_contain_text("Hello from the model.")
    expect(answers_of(page)).to_have_count(1)
    page.reload()
    expect(wait_for_answer(page)).to_contain_text("Hello from the model.")
    expect(answers_of(page)).to_have_count(1)
    assert UsageEntry.objects.count() == 2


def test_a_double_click_on_retry_makes_one_more_run(page: Page, upstream: Upstream) -> None:
    answer = ask_and_wait(page, "Hello")

    answer.get_by_role("button", name="Answer again").dblclick()

    wait_until(lambda: UsageEntry.objects.count() == 2)
    expect(answers_of(page)).to_have_count(1)
    wait_for_answer(page)
    assert (Generation.objects.count(), UsageEntry.objects.count()) == (2, 2)


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
