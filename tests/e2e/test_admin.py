"""The admin in a real browser: its scripts work under the admin's content policy."""

from playwright.sync_api import expect

from chat.models import Conversation
from tenants.models import Membership, User
from tests.e2e.conftest import SignIn


def test_lists_filters_inlines_and_lookups_work_without_breaking_the_policy(
    sign_in: SignIn, owner: Membership, conversation: Conversation, outsider: Membership
) -> None:
    User.objects.filter(pk=owner.user_id).update(is_staff=True, is_superuser=True)
    page = sign_in(owner)

    page.goto("/admin/chat/generation/")
    page.get_by_text("Filters").click()
    page.get_by_role("link", name="Failed", exact=True).click()
    expect(page.get_by_text("0 generations")).to_be_visible()
    page.goto(f"/admin/tenants/tenant/{owner.tenant_id}/change/")
    page.get_by_role("link", name="Memberships").click()
    page.get_by_text("Add another Membership").click()
    page.locator(".select2-selection").last.click()
    page.locator(".select2-search__field").last.fill("oscar")
    page.locator(".select2-results__option", has_text="oscar@example.org").click()
    page.get_by_role("button", name="Save", exact=True).click()

    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert outsider.user.memberships.filter(tenant=owner.tenant).exists()
