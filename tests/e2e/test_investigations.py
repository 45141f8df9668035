"""An owner reads a conversation for an investigation, and the member learns of it."""

from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from chat.models import Conversation, Investigation, Message
from tenants.models import Membership
from tests.e2e.conftest import SignIn
from tests.e2e.hostile import HOSTILE
from tests.e2e.pages import ask_and_wait

REASON = "A complaint about case 4711"


def open_investigation(page: Page, conversation: Conversation) -> None:
    """From the conversation's page in the admin, with a reason."""
    page.goto(f"/admin/chat/conversation/{conversation.pk}/change/")
    page.get_by_role("link", name="Investigate").click()
    expect(page.get_by_label("Id of the conversation")).to_have_value(str(conversation.pk))
    page.get_by_label("Reason").fill(REASON)
    page.get_by_role("button", name="Read the conversation").click()
    expect(page.get_by_text("Read by")).to_be_visible()


def test_an_owner_reads_a_conversation_and_the_member_is_told_why(
    page: Page, sign_in: SignIn, owner: Membership, outsider: Membership
) -> None:
    ask_and_wait(page, "A question about the case")
    conversation = Conversation.objects.get()
    admin = sign_in(owner)

    open_investigation(admin, conversation)
    expect(admin.get_by_role("article")).to_have_count(2)
    expect(admin.get_by_role("article").first).to_contain_text("A question about the case")
    reading = admin.url
    admin.get_by_role("button", name="End now").click()
    expect(admin.get_by_text("The time for reading is over")).to_be_visible()
    admin.goto(reading)
    expect(admin.get_by_role("article")).to_have_count(0)

    page.reload()
    note = page.locator("[data-investigated]")
    expect(note).to_contain_text("Alice (owner of Acme)")
    expect(note).to_contain_text(REASON)


def test_hostile_words_are_only_text_in_an_investigation(
    page: Page, sign_in: SignIn, owner: Membership
) -> None:
    ask_and_wait(page, "A question")
    everything = "\n".join([*HOSTILE, """<p x-data x-init="alert(1)" x-text="'!'">{{ 7*7 }}</p>"""])
    Conversation.objects.update(title=everything[:200], system_prompt=everything)
    Message.objects.update(content=everything)
    admin = sign_in(owner)

    open_investigation(admin, Conversation.objects.get())

    shown = admin.locator(".investigation-plain")
    assert shown.all_inner_texts()[1:] == [everything] * 3
    assert shown.locator("*").count() == 0


def test_when_the_time_is_over_the_words_leave_the_screen(
    page: Page, sign_in: SignIn, owner: Membership
) -> None:
    ask_and_wait(page, "A question about the case")
    admin = sign_in(owner)
    open_investigation(admin, Conversation.objects.get())
    Investigation.objects.update(expires_at=timezone.now() + timedelta(seconds=5))

    admin.reload()
    expect(admin.get_by_role("article")).to_have_count(2)

    expect(admin.get_by_text("The time for reading this conversation is over.")).to_be_visible()
    expect(admin.get_by_role("article")).to_have_count(0)
