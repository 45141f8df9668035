"""What the page says when parts of the portal are killed while it shows an answer."""

import re

from playwright.sync_api import Page, expect

from chat.models import UsageEntry
from tests import servers
from tests.e2e.pages import answers_of, ask, log_of, wait_for_answer
from tests.faults.conftest import crash
from tests.stack import Stack
from tests.upstream import Gate, Reply, Upstream

SENTENCE = "One two three four five six seven eight"


def half_answered(page: Page, upstream: Upstream) -> Gate:
    """Ask, and see the first three words; the gate holds the others."""
    gate = Gate()
    upstream.next(Reply(SENTENCE, gate=gate, gate_at=3))
    ask(page, "Hello")
    page.wait_for_url(re.compile("/c/"))
    expect(answers_of(page)).to_contain_text("One two three")
    return gate


def test_after_the_web_process_was_killed_the_page_goes_on_by_itself(
    page: Page, stack: Stack, upstream: Upstream
) -> None:
    gate = half_answered(page, upstream)

    stack.kill(stack.web)
    stack.web.start()
    gate.open()

    expect(wait_for_answer(page).locator("[data-markdown]")).to_have_text(SENTENCE)
    assert len(upstream.requests) == UsageEntry.objects.count() == 1


def test_after_the_worker_was_killed_the_page_says_so_and_retry_works(
    page: Page, stack: Stack, upstream: Upstream
) -> None:
    half_answered(page, upstream)

    stack.kill(stack.worker)
    stack.worker.start()

    answer = wait_for_answer(page, "interrupted")
    expect(answer).to_contain_text("interrupted because the worker stopped. What had arrived is")
    expect(answer.locator("[data-markdown]")).to_have_text("One two three")
    answer.get_by_role("button", name="Regenerate").click()
    expect(log_of(page)).to_contain_text("Hello from the model.")
    wait_for_answer(page)
    assert UsageEntry.objects.count() == 2


def test_after_valkey_was_killed_the_page_goes_on(
    page: Page, stack: Stack, upstream: Upstream
) -> None:
    gate = half_answered(page, upstream)

    crash(servers.valkey)
    servers.valkey.restart()
    gate.open()

    expect(wait_for_answer(page).locator("[data-markdown]")).to_have_text(SENTENCE)
    assert len(upstream.requests) == UsageEntry.objects.count() == 1
