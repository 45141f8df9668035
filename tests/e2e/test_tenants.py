"""Several tenants and several people in a real browser: inviting, joining, switching."""

import re

from playwright.sync_api import Page, expect

from chat.models import Conversation, Deployment, DeploymentGrant
from tenants.models import Invitation, Membership, Tenant, User
from tenants.services import create_member, invite, resend
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewProfile, SignIn
from tests.e2e.pages import ask_and_wait, log_of, message_box, rows_of
from tests.e2e.test_signing_in import fill_in
from tests.tenants.cast import path_of

DORA = "dora@example.org"


def menu_of(page: Page) -> None:
    """Open the account menu."""
    page.locator("[data-menu-button=account-menu]").click()


def join_both(member: Membership, other: Tenant, deployment: Deployment) -> None:
    """Make bob a member of the other tenant too, with the same model."""
    create_member(tenant=other, email=member.user.email, role="member")
    DeploymentGrant.objects.create(tenant=other, deployment=deployment, is_default=True)


# ── Joining ────────────────────────────────────────────────────────────────────────────────────
def test_an_owner_invites_a_new_person_who_joins_and_chats(
    sign_in: SignIn, new_profile: NewProfile, owner: Membership, deployment: Deployment
) -> None:
    page = sign_in(owner)
    menu_of(page)
    page.get_by_role("menuitem", name="Administration").click()
    page.goto("/admin/tenants/membership/")
    page.get_by_role("link", name="Invite people").click()
    page.get_by_label("E-mail addresses").fill(f"{DORA}\nnot an address")
    page.get_by_role("button", name="Send invitations").click()
    expect(page.get_by_text("“not” is no e-mail address.")).to_be_visible()
    expect(page.get_by_label("E-mail addresses")).to_have_value(f"{DORA}\nnot an address")

    page.get_by_label("E-mail addresses").fill(DORA)
    page.get_by_role("button", name="Send invitations").click()
    expect(page.get_by_text(f"Invitations are on their way to {DORA}.")).to_be_visible()
    link = path_of(resend(invitation=Invitation.objects.get(), actor=owner.user).link)
    hers = new_profile().new_page()
    hers.goto(link)
    expect(hers.get_by_text("Acme")).to_be_visible()
    hers.get_by_label("Your name").fill("Dora")
    hers.get_by_label("Password", exact=True).fill("violet harbour lantern")
    hers.get_by_role("button", name="Join").click()

    hers.wait_for_url("**/acme/")
    expect(hers.get_by_role("heading", level=1)).to_contain_text("Hello, Dora")
    ask_and_wait(hers, "Hello")
    page.reload()
    expect(page.get_by_role("row", name=re.compile(DORA))).to_contain_text("Accepted")
    hers.goto(link)
    expect(hers.get_by_role("heading", name="This link no longer works")).to_be_visible()


def test_signed_in_as_somebody_else_the_link_waits_until_the_right_one_has_signed_in(
    sign_in: SignIn, owner: Membership, nobody: User, deployment: Deployment
) -> None:
    create_member(tenant=owner.tenant, email=DORA, role="member")
    dora = User.objects.get(email=DORA)
    dora.set_password(PASSWORD)
    dora.save()
    second = Tenant.objects.create(slug="globex", name="Globex")
    link = path_of(invite(tenant=second, email=DORA, role="manager").link)
    page = sign_in(owner)

    page.goto(link)
    expect(page.get_by_text("this invitation is for another address")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in to join").click()
    fill_in(page, DORA, PASSWORD)
    page.wait_for_url(f"**{link}")
    page.get_by_role("button", name="Join").click()

    page.wait_for_url("**/globex/")
    menu_of(page)
    expect(page.get_by_role("menuitem", name="Acme")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Administration")).to_be_visible()


def test_the_link_is_told_on_to_nobody(
    new_profile: NewProfile, tenant: Tenant, deployment: Deployment
) -> None:
    token = invite(tenant=tenant, email=DORA, role="member").link.rstrip("/").rpartition("/")[2]
    page = new_profile().new_page()
    referers: list[str] = []
    page.on("request", lambda request: referers.append(request.all_headers().get("referer", "")))

    page.goto(f"/invitations/{token}/")
    page.get_by_label("Your name").fill("Dora")
    page.get_by_label("Password", exact=True).fill("violet harbour lantern")
    page.get_by_role("button", name="Join").click()
    page.wait_for_url("**/acme/")

    assert len(referers) > 5
    assert not [referer for referer in referers if token in referer]


# ── Switching ──────────────────────────────────────────────────────────────────────────────────
def test_the_account_menu_switches_by_mouse_and_by_keyboard(
    page: Page, member: Membership, other_tenant: Tenant, deployment: Deployment
) -> None:
    join_both(member, other_tenant, deployment)
    page.reload()

    menu_of(page)
    expect(page.get_by_role("menuitem", name="Acme")).to_have_attribute("aria-current", "true")
    page.get_by_role("menuitem", name="Globex").click()
    page.wait_for_url("**/globex/")
    page.locator("[data-menu-button=account-menu]").focus()
    page.keyboard.press("Enter")
    items = page.get_by_role("menuitem")
    expect(items.first).to_be_focused()
    while not page.evaluate("document.activeElement.textContent.includes('Acme')"):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_url("**/acme/")


def test_the_switcher_works_without_script(
    sign_in: SignIn, member: Membership, other_tenant: Tenant, deployment: Deployment
) -> None:
    join_both(member, other_tenant, deployment)
    page = sign_in(member, java_script_enabled=False)

    page.locator("details.account summary").click()
    page.locator("details.account").get_by_role("link", name="Globex").click()

    page.wait_for_url("**/globex/")


def test_two_tabs_in_two_tenants_never_mix(
    page: Page, member: Membership, other_tenant: Tenant, deployment: Deployment
) -> None:
    join_both(member, other_tenant, deployment)
    here, there = page, page.context.new_page()
    there.goto("/globex/")

    message_box(here).fill("meant for Acme")
    message_box(there).fill("meant for Globex")
    here.reload()
    there.reload()
    expect(message_box(here)).to_have_value("meant for Acme")
    expect(message_box(there)).to_have_value("meant for Globex")
    for tab in (here, there):
        message_box(tab).press("Enter")
    here.wait_for_url("**/acme/c/**")
    there.wait_for_url("**/globex/c/**")

    for tab, own, other in ((here, "Acme", "Globex"), (there, "Globex", "Acme")):
        expect(log_of(tab)).to_contain_text("Hello from the model.")
        expect(log_of(tab)).to_contain_text(f"meant for {own}")
        expect(tab.locator("body")).not_to_contain_text(f"meant for {other}")
        expect(rows_of(tab)).to_have_count(1)
    ask_and_wait(here, "More for Acme")
    ask_and_wait(there, "More for Globex")
    titles = Conversation.objects.values_list("tenant__slug", "title", "messages__content")
    assert {(slug, "Acme" in text) for slug, _title, text in titles if "for" in text} == {
        ("acme", True),
        ("globex", False),
    }


def test_a_tab_that_stays_open_when_its_person_leaves_a_tenant_posts_nothing_elsewhere(
    page: Page, member: Membership, other_tenant: Tenant, deployment: Deployment
) -> None:
    join_both(member, other_tenant, deployment)
    message_box(page).fill("meant for Acme")
    Membership.objects.filter(pk=member.pk).update(is_active=False)

    message_box(page).press("Enter")

    expect(page.get_by_role("alert").first).to_be_visible()
    assert not Conversation.objects.exists()


# ── Nowhere to go ──────────────────────────────────────────────────────────────────────────────
def test_a_person_without_a_tenant_can_do_nothing_but_sign_out(
    new_profile: NewProfile, nobody: User
) -> None:
    nobody.set_password(PASSWORD)
    nobody.save()
    page = new_profile().new_page()
    page.goto("/")
    fill_in(page, nobody.email, PASSWORD)
    heading = page.get_by_role("heading", name="You belong to no organisation yet")
    expect(heading).to_be_visible()

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
