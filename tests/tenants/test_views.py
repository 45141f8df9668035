"""The pages behind an invitation's link."""

import logging
from collections.abc import Callable
from http import HTTPStatus

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from tenants.models import AuditEvent, Invitation, Membership, Tenant, User
from tenants.services import create_member, invite, withdraw
from tests.client import PortalClient
from tests.conftest import PASSWORD
from tests.tenants.cast import browser_of, link, manager, nothing_written, path_of, text_of

__all__ = ["link", "manager"]  # fixtures

DORA = "dora@example.org"
NEW = {"name": "Dora", "password": "violet harbour lantern"}


@pytest.fixture(autouse=True)
def fresh_limits(db: None) -> None:
    """No attempts of an earlier test count."""
    cache.clear()


@pytest.fixture
def dora(db: None) -> User:
    """dora, who has an account and no tenant."""
    return User.objects.create_user(DORA, PASSWORD, name="Dora")


# ── Following a link ───────────────────────────────────────────────────────────────────────────
def test_a_new_person_chooses_name_and_password_and_is_in(
    client: Client, tenant: Tenant, link: str
) -> None:
    page = text_of(client.get(link))
    joined = client.post(link, NEW)

    user = User.objects.get(email=DORA)
    assert "Acme" in page
    assert "Member" in page
    assert DORA in page
    assert joined["Location"] == "/acme/"
    assert client.get("/acme/").status_code == HTTPStatus.OK
    assert (user.name, user.is_staff, user.is_superuser) == ("Dora", False, False)
    assert user.check_password(NEW["password"])
    assert user.password.startswith("argon2")
    assert user.memberships.get().role == "member"
    assert EmailAddress.objects.get(user=user).verified


def test_what_else_a_form_carries_changes_nothing(
    client: Client, tenant: Tenant, other_tenant: Tenant, link: str
) -> None:
    smuggled = {
        "email": "eve@example.org",
        "role": "owner",
        "tenant": str(other_tenant.pk),
        "is_superuser": "on",
        "is_staff": "on",
        "next": "https://evil.example/",
    }

    joined = client.post(f"{link}?next=https://evil.example/", {**NEW, **smuggled})

    membership = Membership.objects.get(user__email=DORA)
    assert joined["Location"] == "/acme/"
    assert (membership.tenant, membership.role) == (tenant, "member")
    assert not User.objects.filter(is_superuser=True).exists()
    assert not User.objects.filter(email="eve@example.org").exists()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "password"}, "too common"),
        ({"password": "dora@example.org"}, "too similar"),
        ({"password": ""}, "required"),
        ({"name": ""}, "required"),
        ({"name": "x" * 151}, "at most 150"),
        ({"name": "a\0b"}, "Null characters"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_and_makes_nothing(
    client: Client, link: str, fields: dict[str, str], says: str
) -> None:
    with nothing_written(User, Membership, Invitation):
        page = client.post(link, {**NEW, **fields})

    assert page.status_code == HTTPStatus.OK
    assert says in text_of(page)
    assert "name" in fields or 'value="Dora"' in text_of(page)
    assert NEW["password"] not in text_of(page)


def test_looking_changes_nothing_however_often(client: Client, link: str) -> None:
    with nothing_written(User, Membership, Invitation, AuditEvent, Session):
        for method in (client.get, client.head, client.options):
            method(link)
            method(link)

    assert client.post(link, NEW).status_code == HTTPStatus.FOUND


def test_a_person_who_has_an_account_signs_in_first_and_comes_back(
    client: Client, tenant: Tenant, link: str, dora: User
) -> None:
    page = text_of(client.get(link))
    with nothing_written(User, Membership, Invitation):
        sent_away = client.post(link, NEW)
    back = client.post(sent_away["Location"], {"login": DORA, "password": PASSWORD})
    joined = client.post(back["Location"])

    assert f'href="/accounts/login/?next={link.replace("/", "%2F")}"' in page
    assert 'name="password"' not in page
    assert back["Location"] == link
    assert joined["Location"] == "/acme/"
    assert dora.memberships.get().tenant == tenant


def test_signed_in_as_the_person_it_is_one_button(tenant: Tenant, link: str, dora: User) -> None:
    client = browser_of(dora)

    page = text_of(client.get(link))
    joined = client.post(link)

    assert ">Join</button>" in page
    assert 'name="password"' not in page
    assert joined["Location"] == "/acme/"
    assert User.objects.get(email=DORA).check_password(PASSWORD)


def test_somebody_else_is_told_so_and_the_link_outlives_their_signing_out(
    link: str, nobody: User
) -> None:
    client = browser_of(nobody)

    page = text_of(client.get(link))
    with nothing_written(User, Membership, Invitation):
        refused = client.post(link, NEW)
    signed_out = client.post("/accounts/logout/", {"next": link})

    assert "You are signed in as" in page
    assert "nora@example.org" in page
    assert f'name="next" value="{link}"' in page
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert signed_out["Location"] == link
    assert client.post(link, NEW)["Location"] == "/acme/"


def test_a_member_of_the_tenant_cannot_take_anothers_invitation(
    as_member: Client, member: Membership, owner: Membership
) -> None:
    path = path_of(invite(tenant=owner.tenant, email=DORA, role="owner").link)

    with nothing_written(Membership, Invitation):
        refused = as_member.post(path)

    assert refused.status_code == HTTPStatus.FORBIDDEN


# ── A link that does not work ──────────────────────────────────────────────────────────────────
SPOIL: dict[str, Callable[[str], object]] = {
    "mistyped": lambda _: None,
    "expired": lambda _: Invitation.objects.update(expires_at=timezone.now()),
    "withdrawn": lambda _: withdraw(invitation=Invitation.objects.get()),
    "used": lambda link: PortalClient().post(link, NEW),
    "suspended": lambda _: Tenant.objects.update(status=Tenant.Status.SUSPENDED),
    "closed": lambda _: User.objects.create_user(DORA, is_active=False),
}


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("mistyped", "unknown"),
        ("expired", "expired"),
        ("withdrawn", "withdrawn"),
        ("used", "accepted"),
        ("suspended", "tenant suspended"),
        ("closed", "account inactive"),
    ],
)
def test_every_link_that_does_not_work_gets_the_same_page(
    link: str, how: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tenants.views")
    nonsense = PortalClient().get("/invitations/nonsense/")
    SPOIL[how](link)
    spoiled = f"{link[:-1]}x/" if how == "mistyped" else link
    caplog.clear()

    with nothing_written(User, Membership, Invitation, AuditEvent):
        got, posted = PortalClient().get(spoiled), PortalClient().post(spoiled, NEW)

    assert got.status_code == posted.status_code == HTTPStatus.NOT_FOUND
    assert got.content == nonsense.content
    assert posted.content == nonsense.content
    assert "Acme" not in text_of(got)
    assert f"invitation refused: {reason}" in caplog.messages
    assert link.split("/")[2] not in caplog.text


@pytest.mark.parametrize("token", ["%00", "%0d%0a", "ü", "a" * 3000, "..", "<script>"])
def test_strange_tokens_are_only_wrong_ones(client: Client, db: None, token: str) -> None:
    assert client.get(f"/invitations/{token}/").status_code == HTTPStatus.NOT_FOUND


# ── The secret in the address ──────────────────────────────────────────────────────────────────
def test_no_cache_keeps_these_pages_and_no_request_tells_their_address_on(
    client: Client, link: str, dora: User
) -> None:
    answers = [
        client.get(link),
        client.get("/invitations/nonsense/"),
        browser_of(dora).get(link),
        browser_of(dora).post(link),
    ]

    for answer in answers:
        assert answer["Cache-Control"] == "no-store, private"
        assert answer["Referrer-Policy"] == "strict-origin"


def test_a_form_from_another_site_joins_nothing(link: str, dora: User) -> None:
    client = PortalClient(enforce_csrf_checks=True)
    client.force_login(dora)

    with nothing_written(Membership, Invitation):
        refused = client.post(link)

    assert refused.status_code == HTTPStatus.FORBIDDEN


def test_attempts_to_join_are_limited(client: Client, link: str) -> None:
    for _ in range(20):
        client.post(link, {**NEW, "password": "short"})

    limited = client.post(link, NEW)

    assert limited.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert not User.objects.filter(email=DORA).exists()
    assert client.get(link).status_code == HTTPStatus.OK


def test_what_a_tenant_is_called_is_inert_here(client: Client, link: str, dora: User) -> None:
    Tenant.objects.update(name="<img src=x onerror=alert(1)>{{7*7}}")

    for page in (client.get(link), browser_of(dora).get(link)):
        assert "<img src=x" not in text_of(page)
        assert "{{7*7}}" in text_of(page)


def test_an_address_with_markup_is_inert_here(client: Client, tenant: Tenant) -> None:
    path = path_of(invite(tenant=tenant, email="o'hara&sons@example.org", role="member").link)

    assert "o&#x27;hara&amp;sons@example.org" in text_of(client.get(path))


def test_a_new_session_begins_with_joining(client: Client, link: str) -> None:
    client.get("/accounts/login/")
    session = client.session
    session["kept"] = 1
    session.save()
    before = session.session_key

    client.post(link, NEW)

    assert client.session.session_key != before
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"


def test_who_joins_a_second_tenant_finds_both_in_the_menu(
    member: Membership, other_tenant: Tenant
) -> None:
    path = path_of(invite(tenant=other_tenant, email="bob@example.org", role="manager").link)
    client = browser_of(member.user)

    joined = client.post(path, follow=True)

    assert joined.redirect_chain == [("/globex/", 302)]
    assert 'href="/acme/"' in text_of(joined)


def test_an_account_made_for_somebody_without_password_is_set_one_by_mail(
    client: Client, tenant: Tenant, link: str, other_tenant: Tenant
) -> None:
    create_member(tenant=other_tenant, email=DORA, role="member")

    page = text_of(client.get(link))

    assert 'href="/accounts/password/reset/"' in page
    assert 'name="password"' not in page
