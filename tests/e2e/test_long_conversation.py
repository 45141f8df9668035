"""A long conversation: its end is there at once, and what is earlier comes with scrolling up."""

import uuid

from django.utils import timezone
from playwright.sync_api import Page, expect

from chat.models import Conversation, Deployment, Message
from chat.services.conversations import TURNS_PER_PAGE
from tenants.models import Membership
from tests.e2e.conftest import SignIn
from tests.e2e.pages import ask_and_wait

COUNT = 3 * TURNS_PER_PAGE + 10
TURNS = "[data-turn]"


def have_long_conversation(member: Membership, deployment: Deployment) -> Conversation:
    """A conversation of COUNT messages, whose texts are their numbers."""
    conversation = Conversation.objects.create(
        tenant=member.tenant, owner=member.user, title="Long", deployment=deployment,
        request_id=uuid.uuid4(), active_at=timezone.now(),
    )  # fmt: skip
    messages: list[Message] = []
    for number in range(COUNT):
        messages.append(
            Message(
                tenant=member.tenant, conversation=conversation,
                parent=messages[-1] if messages else None, content=f"Text **{number}** " * 80,
                role="assistant" if number % 2 else "user",
            )
        )  # fmt: skip
    Message.objects.bulk_create(messages)
    Conversation.objects.filter(pk=conversation.pk).update(head=messages[-1])
    return conversation


def open_it(page: Page, conversation: Conversation) -> None:
    page.goto(f"/acme/c/{conversation.pk}/")


def test_its_end_is_shown_and_earlier_turns_come_without_moving_what_is_read(
    sign_in: SignIn, member: Membership, deployment: Deployment
) -> None:
    page = sign_in(member)
    open_it(page, have_long_conversation(member, deployment))
    turns, scroller = page.locator(TURNS), page.locator("[data-scroller]")
    expect(turns).to_have_count(TURNS_PER_PAGE)
    expect(turns.last).to_be_in_viewport()
    first = turns.first.element_handle()
    assert first is not None

    scroller.evaluate("scroller => scroller.scrollTop = 0")
    before = first.bounding_box()
    expect(turns).to_have_count(2 * TURNS_PER_PAGE)

    after = first.bounding_box()
    assert before is not None
    assert after is not None
    assert abs(after["y"] - before["y"]) < 100  # the link that stood above it is gone
    for count in (3 * TURNS_PER_PAGE, COUNT):
        scroller.evaluate("scroller => scroller.scrollTop = 0")
        expect(turns).to_have_count(count)
    expect(page.locator("[data-earlier]")).to_have_count(0)
    expect(turns.first).to_contain_text("Text **0**")
    expect(turns.nth(1).locator("strong").first).to_have_text("1")


def test_a_new_answer_comes_at_its_end(
    sign_in: SignIn, member: Membership, deployment: Deployment
) -> None:
    page = sign_in(member)
    open_it(page, have_long_conversation(member, deployment))
    expect(page.locator(TURNS)).to_have_count(TURNS_PER_PAGE)

    answer = ask_and_wait(page, "Go on")

    expect(answer).to_be_in_viewport()
    page.reload()
    expect(page.locator(TURNS).last).to_contain_text("Hello from the model.")


def test_earlier_turns_are_a_link_away_without_a_script(
    sign_in: SignIn, member: Membership, deployment: Deployment
) -> None:
    page = sign_in(member, java_script_enabled=False)
    open_it(page, have_long_conversation(member, deployment))
    turns = page.locator(TURNS)

    page.get_by_role("link", name="Show earlier messages").click()
    expect(turns).to_have_count(TURNS_PER_PAGE)
    expect(turns.last).to_contain_text(f"**{COUNT - TURNS_PER_PAGE - 1}**")
    for _ in range(2):
        page.get_by_role("link", name="Show earlier messages").click()
    expect(turns).to_have_count(COUNT - 3 * TURNS_PER_PAGE)
    expect(page.get_by_role("link", name="Show earlier messages")).to_have_count(0)
    page.get_by_role("link", name="Go to the latest messages").click()

    expect(turns.last).to_contain_text(f"**{COUNT - 1}**")
