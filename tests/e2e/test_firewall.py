"""What a firewall refuses: the person is told so in words, and keeps the typed text."""

from collections.abc import Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from chat.models import Deployment, Message
from tenants.models import Membership
from tests.e2e.conftest import TIMEOUT_MS
from tests.e2e.pages import ask, ask_and_wait, message_box
from tests.gateway.firewalls import template_firewall, without_exclusions
from tests.gateway.modsecurity import waf
from tests.gateway.nginx import Gateway
from tests.gateway.waf import Firewall
from tests.stack import Stack

PROMPT = "SELECT name FROM users UNION SELECT table_name FROM information_schema.tables; --"


def page_at(browser: Browser, gateway: Gateway, membership: Membership) -> Page:
    """The tenant's page behind this gateway, in a new profile of this person."""
    client = Client()
    client.force_login(membership.user)
    profile = browser.new_context(base_url=gateway.url)
    profile.set_default_timeout(TIMEOUT_MS)
    cookie = client.cookies["sessionid"].value
    profile.add_cookies([{"name": "sessionid", "value": cookie, "url": gateway.url}])
    page = profile.new_page()
    page.goto(f"/{membership.tenant.slug}/")
    return page


@pytest.fixture(params=[template_firewall])
def page(
    request: pytest.FixtureRequest,
    browser: Browser,
    stack: Stack,
    member: Membership,
    deployment: Deployment,
) -> Iterator[Page]:
    """The empty page behind the template's firewall, or the one that a test names."""
    with waf(stack.url, request.param()) as gateway:
        page = page_at(browser, gateway, member)
        yield page
        page.context.close()


def untuned() -> Firewall:
    """A firewall that was not told of the chat."""
    return without_exclusions(template_firewall())


def test_a_prompt_with_code_is_answered_behind_the_firewall(page: Page) -> None:
    answer = ask_and_wait(page, PROMPT)

    expect(answer).to_contain_text("Hello from the model.")
    assert Message.objects.get(role="user").content == PROMPT


@pytest.mark.parametrize("page", [untuned], indirect=True)
def test_a_refusal_is_told_in_words_and_the_text_is_kept(page: Page) -> None:
    ask(page, PROMPT)

    expect(page.get_by_role("alert")).to_contain_text("(403)")
    expect(page.get_by_role("alert")).to_contain_text("Your text is kept")
    expect(message_box(page)).to_have_value(PROMPT)
    assert not Message.objects.exists()
