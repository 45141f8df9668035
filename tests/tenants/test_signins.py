"""Sign-ins, sign-outs and passwords are in the audit log."""

import re
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.models import AuditEvent, Membership, Tenant, User
from tests import servers
from tests.admin import administrator
from tests.client import PortalClient
from tests.conftest import PASSWORD

__all__ = ["administrator"]  # a fixture

ADDRESS = "2001:db8::17"
NEW_PASSWORD = "lantern under violet water"
Events = list[tuple[str, str, str]]


@pytest.fixture(autouse=True)
def committed(transactional_db: None) -> None:
    """Events are written on commit. Nobody has tried to sign in before."""
    cache.clear()


@pytest.fixture
def browser() -> Client:
    """A browser in which nobody is signed in."""
    return PortalClient(REMOTE_ADDR=ADDRESS)


def sign_in(browser: Client, email: str, password: str = PASSWORD) -> int:
    """The status of an attempt to sign in at the sign-in page."""
    answer = browser.post("/accounts/login/", {"login": email, "password": password})
    return answer.status_code


def noted() -> Events:
    """Action, tenant ("" for the platform) and actor of what was written about people."""
    about = AuditEvent.objects.filter(action__regex="^(person|password)[.]")
    related = about.select_related("tenant", "actor").order_by("created_at", "tenant")
    return [
        (
            event.action,
            event.tenant.slug if event.tenant else "",
            event.actor.email if event.actor else "",
        )
        for event in related
    ]


# ── Signing in and out ─────────────────────────────────────────────────────────────────────────
def test_a_sign_in_and_a_sign_out_are_written_for_the_persons_tenant(
    browser: Client, member: Membership
) -> None:
    sign_in(browser, "Bob@Example.org")
    browser.post("/accounts/logout/")

    assert noted() == [
        ("person.signed-in", "acme", "bob@example.org"),
        ("person.signed-out", "acme", "bob@example.org"),
    ]
    event = AuditEvent.objects.get(action="person.signed-in")
    assert event.subject == f"tenants.user:{member.user_id}"
    assert event.client_address == ADDRESS
    assert event.request_id


def test_every_tenant_of_the_person_has_the_event_and_no_other(
    browser: Client, member: Membership, other_tenant: Tenant
) -> None:
    left = Tenant.objects.create(slug="initech", name="Initech")
    Tenant.objects.create(slug="umbrella", name="Umbrella")
    Membership.objects.create(user=member.user, tenant=other_tenant)
    Membership.objects.create(user=member.user, tenant=left, is_active=False)

    sign_in(browser, member.user.email)

    assert {tenant for _, tenant, _ in noted()} == {"acme", "globex"}


def test_who_has_no_tenant_is_in_the_platforms_log(browser: Client, administrator: User) -> None:
    sign_in(browser, administrator.email)

    assert noted() == [("person.signed-in", "", "ada@example.org")]


def test_signing_out_of_nothing_is_nothing(browser: Client, db: None) -> None:
    browser.post("/accounts/logout/")

    assert noted() == []


def test_a_manager_signs_out_in_the_admin_whose_scope_is_narrower(
    browser: Client, owner: Membership, other_tenant: Tenant
) -> None:
    Membership.objects.create(user=owner.user, tenant=other_tenant)
    sign_in(browser, owner.user.email)

    answer = browser.post("/admin/logout/")

    assert answer.status_code in {HTTPStatus.OK, HTTPStatus.FOUND}
    assert {tenant for action, tenant, _ in noted() if action == "person.signed-out"} == {
        "acme",
        "globex",
    }


# ── Failing to ─────────────────────────────────────────────────────────────────────────────────
def test_a_wrong_password_is_written_with_the_address_and_without_the_password(
    browser: Client, member: Membership
) -> None:
    sign_in(browser, "Bob@example.org", "wrong horse battery")

    event = AuditEvent.objects.get(action="person.sign-in-failed")
    assert (event.tenant, event.actor) == (member.tenant, None)
    assert event.subject == f"tenants.user:{member.user_id}"
    assert event.detail == {"address": "bob@example.org"}
    assert event.client_address == ADDRESS


def test_an_unknown_address_is_written_to_the_platforms_log_and_cut(
    browser: Client, tenant: Tenant
) -> None:
    address = f"{'a' * 60}@{'b' * 60}.example.org"

    sign_in(browser, address, "secret words")

    event = AuditEvent.objects.get(action="person.sign-in-failed")
    assert (event.tenant, event.actor, event.subject) == (None, None, "")
    assert event.detail == {"address": address[:100]}


def test_a_person_who_may_not_sign_in_has_failed(browser: Client, member: Membership) -> None:
    User.objects.update(is_active=False)

    sign_in(browser, member.user.email)

    assert noted() == [("person.sign-in-failed", "acme", "")]


def test_known_and_unknown_addresses_take_the_same_statements(
    browser: Client, member: Membership
) -> None:
    statements = []
    for address in (member.user.email, "stranger@example.org"):
        with CaptureQueriesContext(connection) as queries:
            sign_in(browser, address, "wrong horse battery")
        ours = [query["sql"] for query in queries if "tenants_" in query["sql"]]
        statements.append([sql.split(" WHERE ")[0][:80] for sql in ours])

    assert statements[0] == statements[1]


def test_attempts_beyond_the_limit_are_not_written(browser: Client, member: Membership) -> None:
    for _ in range(7):
        sign_in(browser, member.user.email, "wrong horse battery")

    assert len(noted()) == 5


# ── Passwords ──────────────────────────────────────────────────────────────────────────────────
def test_a_changed_password_is_written(browser: Client, member: Membership) -> None:
    sign_in(browser, member.user.email)
    fields = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}

    browser.post("/accounts/password/change/", fields)

    assert noted()[1:] == [("password.changed", "acme", "bob@example.org")]


def test_a_password_that_was_reset_by_mail_is_written(browser: Client, member: Membership) -> None:
    browser.post("/accounts/password/reset/", {"email": member.user.email})
    link = re.search(r"http\S+", str(mail.outbox[-1].body))
    assert link
    form = browser.get(link[0].removeprefix("http://testserver"))

    browser.post(form["Location"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})

    assert noted() == [("password.reset", "acme", "bob@example.org")]


# ── When it cannot be written ──────────────────────────────────────────────────────────────────
@pytest.fixture
def signed_in(browser: Client, member: Membership) -> Client:
    """A browser in which bob is signed in."""
    sign_in(browser, member.user.email)
    return browser


@pytest.fixture
def unwritable(member: Membership) -> Iterator[None]:
    """Nothing can be written to the audit log."""
    with servers.owner_connection() as owner:
        owner.execute("REVOKE INSERT ON tenants_auditevent FROM atrium")
        yield
        owner.execute("GRANT INSERT ON tenants_auditevent TO atrium")


def test_a_sign_in_that_cannot_be_written_is_refused(
    browser: Client, member: Membership, unwritable: None
) -> None:
    browser.raise_request_exception = False

    status = sign_in(browser, member.user.email)

    assert status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert browser.get("/acme/").status_code == HTTPStatus.FOUND


def test_a_sign_out_that_cannot_be_written_signs_out(signed_in: Client, unwritable: None) -> None:
    answer = signed_in.post("/accounts/logout/")

    assert answer.status_code == HTTPStatus.FOUND
    assert signed_in.get("/acme/").status_code == HTTPStatus.FOUND


@pytest.mark.parametrize(
    ("forwarded", "kept"), [("unknown", None), ("", None), ("fe80::1%eth0", "fe80::1")]
)
def test_what_is_no_address_is_not_kept_and_stops_nothing(
    signed_in: Client, forwarded: str, kept: str | None
) -> None:
    signed_in.post("/accounts/logout/", REMOTE_ADDR=forwarded)

    assert AuditEvent.objects.get(action="person.signed-out").client_address == kept
