"""What the page says before an answer begins."""

import re

from playwright.sync_api import Page, expect

from tenants.models import Membership, Tenant
from tests.conftest import Queue
from tests.e2e.pages import ask, log_of, wait_for_answer
from tests.stack import Stack
from tests.upstream import Reply, Upstream, refusals


def test_the_page_says_how_many_are_ahead_then_that_the_model_thinks(
    page: Page,
    stack: Stack,
    member: Membership,
    colleague: Membership,
    queue: Queue,
    upstream: Upstream,
) -> None:
    stack.kill(stack.worker)
    queue(colleague)
    ask(page, "Hello")
    line = page.locator("[data-progress-words]")
    expect(line).to_have_text("Queued, 1 ahead of you")
    upstream.hangs()

    stack.worker.start()

    expect(line).to_have_text("Thinking")


def test_the_page_says_that_the_persons_own_answers_are_in_the_way(
    page: Page, tenant: Tenant, upstream: Upstream
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(max_running_per_member=1)
    upstream.next(Reply(["word "] * 500, tokens_per_second=4))
    ask(page, "First")
    expect(log_of(page)).to_contain_text("word word")
    other = page.context.new_page()
    other.goto("/acme/")

    ask(other, "Second")

    line = other.locator("[data-progress-words]")
    expect(line).to_have_text("Waiting: you have 1 answer running")
    page.keyboard.press("Escape")
    expect(wait_for_answer(other)).to_contain_text("Hello from the model.")


def test_a_run_that_goes_back_to_the_queue_waits_on_the_page_too(
    page: Page, upstream: Upstream
) -> None:
    upstream.next(refusals.rate_limited(90))
    words = re.compile(r"Waiting for the model; its provider asks to wait [0-9]+\ss")

    ask(page, "Hello")

    expect(page.locator("[data-progress-words]")).to_have_text(words)
    page.reload()
    expect(page.locator("[data-progress-words]")).to_have_text(words)
    page.keyboard.press("Escape")
    wait_for_answer(page, "stopped")
