"""The admin in a real browser: its scripts work under the admin's content policy."""

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from chat.models import Conversation, Deployment, DeploymentGrant, LibraryPrompt
from tenants.models import Membership, TenantLogo, User
from tests.e2e.conftest import SignIn
from tests.e2e.pages import message_box

# White on black in 3 numbers, as a canvas reads any colour that CSS can name.
CONTRAST = """([front, back]) => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const channel = (byte) => {
        const part = byte / 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    };
    const luminance = (name) => {
        const probe = document.querySelector("[data-probe]");
        probe.style.color = `var(${name})`;
        context.fillStyle = getComputedStyle(probe).color;
        context.fillRect(0, 0, 1, 1);
        const [red, green, blue] = [...context.getImageData(0, 0, 1, 1).data].map(channel);
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const [dark, light] = [luminance(front), luminance(back)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
}"""
COLOURS = ["#000000", "#ffffff", "#ffff00", "#00ff00", "#0000ff", "#ff0000", "#808080", "#ffc0cb"]


@pytest.fixture
def large(owner: Membership) -> Deployment:
    """A second model of Acme's."""
    large = Deployment.objects.create(
        name="large", label="Large model", kind="azure", model="large-1", context_window=8192
    )
    DeploymentGrant.objects.create(tenant=owner.tenant, deployment=large)
    return large


def settings_of(page: Page, membership: Membership) -> None:
    """Open the tenant's page."""
    page.goto(f"/admin/tenants/tenant/{membership.tenant_id}/change/")


def save(page: Page) -> None:
    """Save, and see that it went well."""
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()


def test_lists_filters_inlines_and_lookups_work_without_breaking_the_policy(
    sign_in: SignIn, owner: Membership, conversation: Conversation, outsider: Membership
) -> None:
    User.objects.filter(pk=owner.user_id).update(is_staff=True, is_superuser=True)
    page = sign_in(owner)

    page.goto("/admin/chat/generation/")
    page.get_by_text("Filters").click()
    page.get_by_role("link", name="Failed", exact=True).click()
    expect(page.get_by_text("0 generations")).to_be_visible()
    page.goto(f"/admin/chat/deployment/{conversation.deployment_id}/change/")
    page.get_by_role("link", name="Deployment grants").click()
    page.get_by_text("Add another Deployment grant").click()
    page.locator(".select2-selection").last.click()
    page.locator(".select2-search__field").last.fill("glob")
    page.locator(".select2-results__option", has_text="Globex").click()
    save(page)

    assert outsider.tenant.grants.filter(deployment=conversation.deployment).exists()


def test_an_owner_sets_default_logo_and_prompts_and_members_see_them(
    sign_in: SignIn, owner: Membership, deployment: Deployment, large: Deployment, tmp_path: Path
) -> None:
    Image.new("RGB", (600, 200), "navy").save(tmp_path / "logo.jpg")
    LibraryPrompt.objects.create(tenant=owner.tenant, title="Letter", text="Dear [name], thanks")
    page = sign_in(owner)

    settings_of(page, owner)
    page.get_by_label("New logo").set_input_files(tmp_path / "logo.jpg")
    page.get_by_role("link", name="Models").click()
    page.locator("tr.form-row", has_text="Large model").get_by_role("checkbox").first.check()
    save(page)
    page.get_by_role("link", name="Back to the chat").click()

    logo = page.locator(".brand-logo")
    expect(logo).to_be_visible()
    assert logo.evaluate("image => image.naturalWidth") == 512
    expect(page.get_by_label("Model").locator("option:checked")).to_have_text("Large model")
    page.get_by_role("link", name="Letter").click()
    expect(message_box(page)).to_have_value("Dear [name], thanks")
    assert message_box(page).evaluate(
        "box => box.value.slice(box.selectionStart, box.selectionEnd)"
    ) == ("[name]")


def test_too_large_a_file_is_refused_before_it_is_sent(
    sign_in: SignIn, owner: Membership, tmp_path: Path
) -> None:
    (tmp_path / "large.png").write_bytes(b"\0" * 3_000_000)
    page = sign_in(owner)
    settings_of(page, owner)

    page.get_by_label("Notice", exact=True).fill("Typed a moment ago")
    page.get_by_label("New logo").set_input_files(tmp_path / "large.png")
    page.get_by_role("button", name="Save", exact=True).click()

    message = page.get_by_label("New logo").evaluate("field => field.validationMessage")
    assert message == "This file is too large. It may have 1 MB."
    expect(page.get_by_label("Notice", exact=True)).to_have_value("Typed a moment ago")
    assert not TenantLogo.objects.exists()


def test_the_library_fills_the_message_without_script(
    sign_in: SignIn, member: Membership, deployment: Deployment
) -> None:
    LibraryPrompt.objects.create(tenant=member.tenant, title="Letter", text="Dear [name], thanks")
    page = sign_in(member, java_script_enabled=False)

    page.get_by_role("link", name="Letter").click()

    expect(message_box(page)).to_have_value("Dear [name], thanks")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_any_accent_colour_can_be_read(
    sign_in: SignIn, member: Membership, deployment: Deployment, theme: str
) -> None:
    page = sign_in(member, color_scheme=theme)
    page.evaluate("document.body.appendChild(document.createElement('i')).dataset.probe = ''")
    pairs = [["--on-accent", "--accent"], ["--accent", "--paper"], ["--ink", "--tint"]]

    for colour in COLOURS:
        style = f"document.documentElement.style.setProperty('--tenant-accent', '{colour}')"
        page.evaluate(style)
        found = {pair[0]: page.evaluate(CONTRAST, pair) for pair in pairs}
        assert min(found.values()) >= 4.5, (colour, found)
