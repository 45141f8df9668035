"""Signing in and out in a browser."""

from playwright.sync_api import Page, expect

from chat.models import Deployment
from tenants.models import Membership
from tests.conftest import PASSWORD
from tests.e2e.conftest import NewProfile
from tests.e2e.pages import ask_and_wait, log_of


def fill_in(page: Page, email: str, password: str) -> None:
    """Fill in the sign-in page and send it."""
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_password_is_refused_and_the_right_one_leads_to_the_chat(
    new_profile: NewProfile, member: Membership, deployment: Deployment
) -> None:
    page = new_profile().new_page()
    page.goto("/")

    fill_in(page, member.user.email, "not the password")
    expect(page.locator("body")).to_contain_text("not correct")
    fill_in(page, member.user.email, PASSWORD)

    page.wait_for_url("**/acme/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Hello, Bob")


def test_signing_in_leads_back_to_the_page_that_was_asked_for(
    new_profile: NewProfile, page: Page, member: Membership
) -> None:
    ask_and_wait(page, "Hello")
    elsewhere = new_profile().new_page()
    elsewhere.goto(page.url)
    expect(elsewhere.get_by_role("heading", name="Sign in")).to_be_visible()

    fill_in(elsewhere, member.user.email, PASSWORD)

    elsewhere.wait_for_url(page.url)
    expect(log_of(elsewhere)).to_contain_text("Hello from the model.")


def test_after_signing_out_no_page_is_shown(page: Page) -> None:
    ask_and_wait(page, "Hello")
    address = page.url

    page.get_by_role("button", name="Bob").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto(address)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("Hello from the model.")
