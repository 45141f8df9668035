"""Sign in, ask, and watch the answer stream."""

from playwright.sync_api import Page, expect

from chat.models import Deployment
from tenants.models import Membership
from tests.e2e.conftest import SignIn
from tests.upstream import Gate, Reply, Upstream


def ask(page: Page, text: str) -> None:
    """Type a message and send it with Enter."""
    page.get_by_label("Message", exact=True).fill(text)
    page.keyboard.press("Enter")


def test_an_answer_arrives_in_steps_and_survives_a_reload(
    sign_in: SignIn, member: Membership, deployment: Deployment, upstream: Upstream
) -> None:
    gate = Gate()
    upstream.always(Reply("I am a **small** model and here to help.", gate=gate, gate_at=4))
    page = sign_in(member)
    log = page.get_by_role("log")

    ask(page, "Hello, who are you?")
    expect(log).to_contain_text("I am a small")
    expect(log).not_to_contain_text("here to help")
    page.reload()
    expect(log).to_contain_text("I am a small")
    gate.open()
    expect(log).to_contain_text("I am a small model and here to help.")
    expect(log.locator("strong")).to_have_text("small")
    page.reload()

    expect(log).to_contain_text("Hello, who are you?")
    expect(log).to_contain_text("I am a small model and here to help.")
    assert len(upstream.requests) == 1
