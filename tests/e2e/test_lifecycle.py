"""The life of an answer as the page shows it: interruptions, ends, and what can be done then."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from chat.models import Generation, Message, UsageEntry
from tenants.models import Tenant
from tests.e2e.pages import answers_of, ask, ask_and_wait, log_of, rows_of, wait_for_answer
from tests.stack import Stack, wait_until
from tests.upstream import Fault, Gate, Reply, Upstream, refusals

SENTENCE = "I am a **small** model and here to help."


@pytest.fixture
def gate(upstream: Upstream) -> Iterator[Gate]:
    """Holds every answer after four words."""
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=4))
    yield gate
    gate.open()


@pytest.fixture
def half(page: Page, gate: Gate) -> Page:
    """The page with the first four words of an answer."""
    ask(page, "Hello, who are you?")
    page.wait_for_url(re.compile("/c/"))
    expect(log_of(page)).to_contain_text("I am a small")
    return page


def press(page: Page, name: str) -> None:
    """Press this button of the last answer."""
    answers_of(page).last.get_by_role("button", name=name, exact=True).click()


# ── Reload, tabs, connection ───────────────────────────────────────────────────────────────────
def test_an_answer_survives_a_reload(half: Page, gate: Gate, upstream: Upstream) -> None:
    log = log_of(half)
    expect(log).not_to_contain_text("here to help")

    half.reload()

    expect(log).to_contain_text("I am a small")
    gate.open()
    expect(log).to_contain_text("I am a small model and here to help.")
    expect(log.locator("strong")).to_have_text("small")
    before = wait_for_answer(half).locator("[data-markdown]").inner_html()
    half.reload()
    expect(log).to_contain_text("Hello, who are you?")
    after = wait_for_answer(half).locator("[data-markdown].is-rendered")
    assert after.inner_html() == before
    assert len(upstream.requests) == 1


def test_a_second_tab_shows_the_same_answer_while_it_streams(
    half: Page, gate: Gate, upstream: Upstream
) -> None:
    other = half.context.new_page()
    other.goto(half.url)
    expect(log_of(other)).to_contain_text("I am a small")
    expect(log_of(other)).not_to_contain_text("here to help")

    gate.open()

    for tab in (half, other):
        expect(wait_for_answer(tab)).to_contain_text("I am a small model and here to help.")
    assert len(upstream.requests) == 1


def test_offline_for_ten_seconds_and_back(
    half: Page, stack: Stack, gate: Gate, upstream: Upstream
) -> None:
    banner = half.locator("[data-offline]")

    half.context.set_offline(True)
    began = time.monotonic()
    # Chromium's offline mode leaves open connections alone: the server's end cuts the stream.
    stack.kill(stack.web)
    stack.web.start()
    gate.open()

    wait_until(lambda: not Generation.objects.live().exists(), what="the end on the server")
    expect(banner).to_be_visible()
    expect(answers_of(half)).to_contain_text("I am a small")
    expect(answers_of(half)).not_to_contain_text("here to help")
    wait_until(lambda: time.monotonic() - began >= 10, what="ten seconds")
    half.context.set_offline(False)
    expect(wait_for_answer(half)).to_contain_text("I am a small model and here to help.")
    expect(banner).to_be_hidden()
    assert len(upstream.requests) == UsageEntry.objects.count() == 1


# ── Stop ───────────────────────────────────────────────────────────────────────────────────────
def test_stop_keeps_exactly_what_was_seen(page: Page, upstream: Upstream) -> None:
    gate = Gate()
    upstream.next(
        Reply("Größe 🙂 👩‍🚀 two " + SENTENCE, gate=gate, gate_at=4, fault=Fault.HANG, fault_at=8)
    )
    ask(page, "Hello")
    expect(log_of(page)).to_contain_text("👩‍🚀 two")

    def arrives_late(route: Route) -> None:
        gate.open()
        wait_until(lambda: Generation.objects.get().partial_text.endswith("small**"))
        route.continue_()

    page.route("**/stop/", arrives_late)
    page.get_by_role("button", name="Stop answering").click()

    answer = wait_for_answer(page, "stopped")
    expect(answer).to_contain_text("You stopped this answer. What you had seen of it is kept.")
    expect(answer.locator("[data-markdown]")).to_have_text("Größe 🙂 👩‍🚀 two")
    assert Message.objects.get(role="assistant").content == "Größe 🙂 👩‍🚀 two"
    page.reload()
    expect(wait_for_answer(page, "stopped").locator("[data-markdown]")).to_have_text(
        "Größe 🙂 👩‍🚀 two"
    )
    expect(ask_and_wait(page, "Go on")).to_contain_text("Hello from the model.")


def test_escape_stops_an_answer_that_has_not_begun(page: Page, upstream: Upstream) -> None:
    upstream.hangs()
    ask(page, "Hello")
    expect(page.get_by_role("button", name="Stop answering")).to_be_visible()

    page.keyboard.press("Escape")

    expect(wait_for_answer(page, "stopped")).to_contain_text(
        "You stopped this before any of the answer arrived."
    )


# ── Continue and regenerate ────────────────────────────────────────────────────────────────────
def test_continue_goes_on_where_a_truncated_answer_ended(page: Page, upstream: Upstream) -> None:
    upstream.next(Reply("One two three", finish_reason="length"), Reply(" four five six."))
    answer = ask_and_wait(page, "Count", "truncated")
    expect(answer).to_contain_text("length limit")

    press(page, "Continue")

    expect(wait_for_answer(page).locator("[data-markdown]")).to_have_text(
        "One two three four five six."
    )
    expect(answers_of(page)).to_have_count(1)
    page.reload()
    expect(wait_for_answer(page)).to_contain_text("One two three four five six.")
    assert "One two three" in [m["content"] for m in upstream.requests[1].messages]


def test_what_a_continuation_begins_with_stays_in_sight(page: Page, upstream: Upstream) -> None:
    gate = Gate()
    upstream.next(
        Reply("One two three", finish_reason="length"),
        Reply(" four five six.", gate=gate, gate_at=0),
        refusals.content_filter(),
    )
    ask_and_wait(page, "Count", "truncated")

    press(page, "Continue")

    expect(answers_of(page).last).to_contain_text("Thinking")
    expect(log_of(page)).to_contain_text("One two three")
    page.keyboard.press("Escape")
    expect(answers_of(page).last).to_have_attribute("data-status", "stopped")
    expect(log_of(page)).to_contain_text("One two three")
    press(page, "Continue")
    expect(answers_of(page).last).to_have_attribute("data-status", "filtered")
    expect(log_of(page)).to_contain_text("One two three")


def test_regenerate_after_an_interruption_answers_in_its_place(
    page: Page, upstream: Upstream
) -> None:
    upstream.next(Reply(SENTENCE, fault=Fault.CUT, fault_at=4))
    answer = ask_and_wait(page, "Hello", "interrupted")
    expect(answer).to_contain_text("What had arrived is kept.")

    press(page, "Regenerate")

    expect(wait_for_answer(page)).to_contain_text("Hello from the model.")
    expect(answers_of(page)).to_have_count(1)
    page.reload()
    expect(wait_for_answer(page)).to_contain_text("Hello from the model.")
    expect(answers_of(page)).to_have_count(1)
    assert UsageEntry.objects.count() == 2


def test_an_attempt_that_brings_nothing_leaves_the_earlier_answer_in_sight(
    page: Page, upstream: Upstream
) -> None:
    ask_and_wait(page, "Hello")
    upstream.next(refusals.unauthorised())

    press(page, "Regenerate")

    wait_for_answer(page, "failed")
    expect(answers_of(page)).to_have_count(2)
    expect(answers_of(page).first).to_contain_text("Hello from the model.")
    press(page, "Try again")
    wait_for_answer(page)
    expect(answers_of(page)).to_have_count(1)


def test_a_double_click_on_regenerate_makes_one_more_run(page: Page, upstream: Upstream) -> None:
    answer = ask_and_wait(page, "Hello")

    answer.get_by_role("button", name="Regenerate").dblclick()

    wait_until(lambda: UsageEntry.objects.count() == 2)
    expect(answers_of(page)).to_have_count(1)
    wait_for_answer(page)
    assert (Generation.objects.count(), UsageEntry.objects.count()) == (2, 2)


# ── A filtered prompt ──────────────────────────────────────────────────────────────────────────
def test_a_filtered_prompt_is_edited_and_sent_again(page: Page, upstream: Upstream) -> None:
    ask_and_wait(page, "Before")
    upstream.next(refusals.content_filter("self_harm"))
    answer = ask_and_wait(page, "How do I kill a process?", "filtered")
    expect(answer).to_contain_text("did not let your message through (category: self-harm)")

    answer.get_by_text("Edit and send again").click()
    box = page.get_by_label("Your message", exact=True)
    expect(box).to_be_focused()
    expect(box).to_have_value("How do I kill a process?")
    box.fill("How do I end a process?")
    page.reload()
    answers_of(page).last.get_by_text("Edit and send again").click()
    expect(box).to_have_value("How do I end a process?")
    page.keyboard.press("Enter")

    expect(wait_for_answer(page)).to_contain_text("Hello from the model.")
    expect(log_of(page)).to_contain_text("How do I end a process?")
    expect(log_of(page)).not_to_contain_text("kill")
    expect(answers_of(page)).to_have_count(2)
    page.reload()
    expect(log_of(page)).not_to_contain_text("kill")
    said = [message["content"] for message in upstream.requests[-1].messages]
    assert said == ["Before", "Hello from the model.", "How do I end a process?"]


def test_an_edit_that_is_refused_keeps_the_text(page: Page, upstream: Upstream) -> None:
    upstream.next(refusals.content_filter("violence"))
    ask_and_wait(page, "First", "filtered")
    page.route("**/edit/", lambda route: route.abort())
    answers_of(page).get_by_text("Edit and send again").click()
    box = page.get_by_label("Your message", exact=True)

    box.fill("Second")
    page.get_by_role("button", name="Send again").click()

    expect(page.get_by_role("alert")).to_contain_text("Atrium cannot be reached")
    expect(box).to_have_value("Second")


# ── The title ──────────────────────────────────────────────────────────────────────────────────
def test_the_title_that_a_model_gives_is_shown_without_a_reload(
    page: Page, tenant: Tenant, upstream: Upstream
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(generates_titles=True)
    upstream.next(Reply("It is the sky."), Reply("Colours of the sky"))

    ask_and_wait(page, "What is blue?")

    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text("Colours of the sky")
    expect(page).to_have_title(re.compile("Colours of the sky"))
    expect(rows_of(page)).to_contain_text("Colours of the sky")
