"""The tenant's logo in the admin: given, refused, and taken away."""

from http import HTTPStatus

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from tenants.models import AuditEvent, Membership, Tenant, TenantLogo
from tests.admin import change, form_of
from tests.tenants.cast import browser_of
from tests.tenants.test_logos import picture


def upload(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    """A file, as a browser sends it."""
    return SimpleUploadedFile(name, content, content_type="image/png")


def test_an_owner_gives_the_tenant_a_logo_and_takes_it_away(owner: Membership) -> None:
    client, address = browser_of(owner.user), tenant_page(owner.tenant)

    change(client, owner.tenant, logo_file=upload(picture("JPEG")))
    given, page = TenantLogo.objects.get(), client.get(address)
    picture_of_it = client.get(reverse("admin:tenants_tenant_logo", args=[owner.tenant_id]))
    change(client, owner.tenant, remove_logo="on")

    events = AuditEvent.objects.filter(action__startswith="tenant.logo").order_by("sequence")
    assert f"logo/?v={given.digest[:12]}" in page.content.decode()
    assert picture_of_it.content == bytes(given.content)
    assert picture_of_it["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert not TenantLogo.objects.exists()
    assert [event.action for event in events] == ["tenant.logo-changed", "tenant.logo-removed"]
    assert {event.actor for event in events} == {owner.user}
    assert not AuditEvent.objects.filter(action="tenant.changed").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html><script>alert(1)</script>", "no PNG, JPEG or WebP picture"),
        (b"\0" * 1_060_000, "too large. A logo may have 1 MB"),
        (picture(size=(5000, 10)), "5000 by 10 pixels. A logo may have 2048 a side"),
        (b"", "empty"),
    ],
)
def test_a_refused_logo_leaves_the_rest_of_the_form_as_it_was_typed(
    owner: Membership, content: bytes, words: str
) -> None:
    client, address = browser_of(owner.user), tenant_page(owner.tenant)
    data = {
        **form_of(client, address),
        "notice": "Typed a moment ago",
        "logo_file": upload(content),
    }

    answer = client.post(address, data)

    page = answer.content.decode()
    assert answer.status_code == HTTPStatus.OK
    assert words in page
    assert "Typed a moment ago" in page
    assert not TenantLogo.objects.exists()
    assert not Tenant.objects.get().notice


def test_a_new_logo_and_none_at_once_is_refused(owner: Membership) -> None:
    client = browser_of(owner.user)
    change(client, owner.tenant, logo_file=upload(picture()))

    with pytest.raises(AssertionError, match="Either upload a new logo"):
        change(client, owner.tenant, logo_file=upload(picture("WEBP")), remove_logo="on")


def tenant_page(tenant: Tenant) -> str:
    """The address of the tenant's page in the admin."""
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])
