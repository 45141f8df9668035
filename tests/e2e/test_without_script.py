"""Everything works as plain forms, without JavaScript."""

import re

import pytest
from playwright.sync_api import Page, expect

from chat.models import Conversation, Deployment, Generation
from tenants.models import Membership
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewProfile
from tests.e2e.pages import log_of, message_box
from tests.stack import wait_until
from tests.upstream import Gate, Reply, Upstream


@pytest.fixture
def page(new_profile: NewProfile, member: Membership, deployment: Deployment) -> Page:
    """The empty page, after signing in, in a browser without scripts."""
    page = new_profile(java_script_enabled=False).new_page()
    page.goto("/")
    page.get_by_label("Email").fill(member.user.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/acme/")
    return page


def send(page: Page, text: str) -> None:
    """Type a message and press the button."""
    message_box(page).fill(text)
    page.get_by_role("button", name="Send").click()
    page.wait_for_url(re.compile("/c/[0-9a-f-]{36}/$"))


def reload_when_answered(page: Page) -> None:
    """Read the answer."""
    wait_until(lambda: not Generation.objects.live().exists())
    page.reload()


def test_a_conversation_is_had_renamed_and_deleted(page: Page) -> None:
    send(page, "Hello")
    expect(log_of(page)).to_contain_text("Hello")
    reload_when_answered(page)
    expect(log_of(page)).to_contain_text("Hello from the model.")

    send(page, "Once more")
    reload_when_answered(page)
    expect(page.locator("article[data-role=assistant]")).to_have_count(2)
    page.locator("summary[aria-label='Actions for this conversation']").click()
    page.get_by_label("Title", exact=True).fill("Renamed")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Renamed")
    page.locator("summary[aria-label='Actions for this conversation']").click()
    page.get_by_role("button", name="Delete conversation").click()

    page.wait_for_url("**/acme/")
    assert not Conversation.objects.exists()


def test_an_answer_is_stopped_and_asked_for_again(page: Page, upstream: Upstream) -> None:
    upstream.next(Reply("One two three", gate=Gate(), gate_at=2))
    send(page, "Hello")
    upstream.wait_for_requests(1)

    page.get_by_role("button", name="Stop").click()
    reload_when_answered(page)
    expect(log_of(page)).to_contain_text("You stopped this")
    page.get_by_role("button", name="Regenerate").click()
    reload_when_answered(page)

    expect(log_of(page)).to_contain_text("Hello from the model.")


def test_an_empty_message_is_refused_on_the_page(page: Page) -> None:
    message_box(page).fill("   ")

    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("alert")).to_contain_text("Type a message first.")
    assert not Conversation.objects.exists()
