"""The list of conversations: rename, delete, search, and pages by scrolling."""

import re
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page, expect

from chat.models import Conversation, Deployment, UsageEntry
from tenants.models import Membership
from tests.e2e.conftest import SignIn
from tests.e2e.pages import ask_and_wait, rows_of


def test_a_conversation_is_renamed_in_the_list(page: Page) -> None:
    ask_and_wait(page, "Hello")

    rows_of(page).first.hover()
    rows_of(page).get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New title").fill("Greetings & <b>more</b>")
    page.keyboard.press("Enter")

    expect(rows_of(page)).to_have_text(["Greetings & <b>more</b>"])
    expect(page).to_have_title(re.compile("Greetings & <b>more</b>"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Greetings & <b>more</b>")
    page.reload()
    expect(rows_of(page)).to_have_text(["Greetings & <b>more</b>"])


def test_escape_leaves_the_title_as_it_was(page: Page) -> None:
    ask_and_wait(page, "Hello")

    page.get_by_role("button", name="Actions for this conversation").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_label("New title").fill("Something else")
    page.keyboard.press("Escape")

    expect(page.get_by_role("heading", level=1)).to_have_text("Hello")
    assert Conversation.objects.get().title == "Hello"


def test_a_conversation_is_deleted_only_after_a_yes(page: Page) -> None:
    ask_and_wait(page, "Hello")

    def delete() -> None:
        page.get_by_role("button", name="Actions for this conversation").click()
        page.get_by_role("menuitem", name="Delete").click()

    delete()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert Conversation.objects.count() == 1
    delete()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()

    page.wait_for_url("**/acme/")
    expect(rows_of(page)).to_have_count(0)
    assert not Conversation.objects.exists()
    assert UsageEntry.objects.count() == 1


def have_conversations(member: Membership, deployment: Deployment, count: int) -> None:
    """Give this member conversations, the newest with the highest number."""
    now = timezone.now()
    Conversation.objects.bulk_create(
        Conversation(
            tenant=member.tenant,
            owner=member.user,
            title=f"Topic {number:02d}",
            deployment=deployment,
            request_id=f"00000000-0000-4000-8000-{number:012d}",
            active_at=now - timedelta(hours=count - number),
        )
        for number in range(count)
    )


def test_the_list_goes_on_while_it_is_scrolled(
    sign_in: SignIn, member: Membership, deployment: Deployment
) -> None:
    have_conversations(member, deployment, 95)
    page = sign_in(member)
    rows = rows_of(page)
    expect(rows).to_have_count(40)
    # One moves up meanwhile: it is neither shown twice nor does it push another one out.
    Conversation.objects.filter(title="Topic 50").update(active_at=timezone.now())

    for count in (80, 94):
        rows.last.scroll_into_view_if_needed()
        expect(rows).to_have_count(count)

    titles = [title.strip() for title in rows.all_inner_texts()]
    expected = [f"Topic {number:02d}" for number in range(94, -1, -1) if number != 50]
    assert titles == expected


def test_conversations_are_found_by_title(
    sign_in: SignIn, member: Membership, deployment: Deployment
) -> None:
    have_conversations(member, deployment, 60)
    page = sign_in(member)
    search = page.get_by_role("searchbox")

    page.keyboard.press("Control+K")
    expect(search).to_be_focused()
    search.fill("topic 07")
    expect(rows_of(page)).to_have_text(["Topic 07"])
    search.fill("100%_")
    expect(page.get_by_text("Nothing was found for “100%_”.")).to_be_visible()
    search.fill("")

    expect(rows_of(page)).to_have_count(40)
