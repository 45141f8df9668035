"""`create_tenant`, `create_member` and `invite`, as an operator uses them."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command

from tenants.models import AuditEvent, Invitation, Membership, Tenant, User
from tenants.services import find_invitation

PASSWORD = "violet harbour lantern"

Typing = Callable[[str], None]


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> Typing:
    """Pipe a text into the command."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def run(*arguments: str) -> str:
    """What the command prints."""
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


@pytest.mark.django_db
def test_create_tenant_says_where_it_is_and_is_written_to_the_audit_log() -> None:
    said = run("create_tenant", "acme", "Acme Ltd", "--max-running", "3", "--notice", "Be kind.")

    tenant = Tenant.objects.get(slug="acme")
    assert said == "Created tenant “Acme Ltd” at /acme/.\n"
    assert (tenant.max_running, tenant.notice, tenant.status) == (3, "Be kind.", "active")
    assert AuditEvent.objects.get().action == "tenant.created"


def test_create_tenant_refuses_a_slug_that_exists(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="already a tenant “acme”"):
        run("create_tenant", "acme", "Another")

    assert Tenant.objects.get().name == "Acme"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["admin", "Admin"], "slug: “admin” is reserved"),
        (["a b", "Name"], "slug: Enter a valid"),
        (["acme", ""], "name: This field cannot be blank"),
        (["acme", "Acme", "--max-running", "0"], "max_running: Ensure"),
        (["acme", "Acme", "--max-running", "many"], "--max-running: invalid int value"),
        (["acme", "Acme", "--accent-colour", "red"], "accent_colour: Give a colour"),
        (["acme"], "required: name"),
    ],
)
def test_create_tenant_names_what_is_wrong(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        run("create_tenant", *arguments)

    assert not Tenant.objects.exists()


def test_create_member_makes_an_account_that_can_sign_in(tenant: Tenant, typing: Typing) -> None:
    typing(f"{PASSWORD}\n")

    said = run(
        "create_member", "acme", "Dora@Example.org", "--role", "owner", "--password-stdin",
        "--name", "Dora",
    )  # fmt: skip

    user = User.objects.get(email="dora@example.org")
    assert said == "dora@example.org is now owner of “Acme”.\n"
    assert user.check_password(PASSWORD)
    assert (user.name, user.is_staff, user.memberships.get().role) == ("Dora", False, "owner")


def test_create_member_leaves_an_account_that_exists_as_it_is(
    tenant: Tenant, outsider: Membership
) -> None:
    before = outsider.user.password

    said = run("create_member", "acme", "OSCAR@example.org", "--name", "Somebody")

    user = User.objects.get(pk=outsider.user_id)
    assert "name and password are unchanged" in said
    assert (user.name, user.password) == ("Oscar", before)
    assert user.memberships.count() == 2


def test_create_member_without_password_makes_an_account_for_a_reset(tenant: Tenant) -> None:
    run("create_member", "acme", "dora@example.org", "--no-password")

    assert not User.objects.get(email="dora@example.org").has_usable_password()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere", "d@example.org", "--no-password"], "There is no tenant “nowhere”"),
        (["acme", "no-address", "--no-password"], "valid email address"),
        (["acme", "d@example.org", "--role", "king"], "invalid choice: 'king'"),
        (["acme", "d@example.org", "--password-stdin", "--no-password"], "not allowed with"),
        (["acme", "d@example.org"], "Say --password-stdin or --no-password"),
        (["acme", "d@example.org", "--password-stdin"], "too short"),
        (["acme"], "required: email"),
    ],
)
def test_create_member_names_what_is_wrong(
    tenant: Tenant, typing: Typing, arguments: list[str], complaint: str
) -> None:
    typing("\n")

    with pytest.raises(CommandError, match=complaint):
        run("create_member", *arguments)

    assert not User.objects.exists()


def test_create_member_refuses_a_membership_that_exists(member: Membership) -> None:
    with pytest.raises(CommandError, match="belongs to “acme” already"):
        run("create_member", "acme", "bob@example.org", "--role", "owner")

    assert Membership.objects.get().role == "member"


def test_a_password_typed_twice_differently_is_refused(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    answers = iter([PASSWORD, "something else entirely"])
    monkeypatch.setattr("sys.stdin", Terminal())
    command: Any = "tenants.management.commands.create_member.getpass"
    monkeypatch.setattr(command, lambda _: next(answers))

    with pytest.raises(CommandError, match="passwords differ"):
        run("create_member", "acme", "d@example.org")


# ── invite ─────────────────────────────────────────────────────────────────────────────────────
def test_invite_sends_a_link_and_does_not_print_it(
    tenant: Tenant, django_capture_on_commit_callbacks: Any, mailoutbox: list[EmailMessage]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        said = run("invite", "acme", "Dora@Example.org", "--role", "owner")

    invitation = Invitation.objects.get()
    (message,) = mailoutbox
    assert said.startswith("Mail is on its way to dora@example.org, who may join “Acme” as owner")
    assert "/invitations/" not in said
    assert "/invitations/" in str(message.body)
    assert (invitation.email, invitation.role) == ("dora@example.org", "owner")
    assert AuditEvent.objects.get(action="invitation.created").actor is None


def test_invite_prints_the_link_where_that_is_asked_for(tenant: Tenant) -> None:
    link = run("invite", "acme", "dora@example.org", "--print-link").splitlines()[-1]

    token = link.rstrip("/").rpartition("/")[2]
    assert find_invitation(token).email == "dora@example.org"


def test_invite_again_replaces_the_invitation_before(tenant: Tenant) -> None:
    run("invite", "acme", "dora@example.org")
    run("invite", "acme", "dora@example.org", "--role", "manager")

    assert Invitation.objects.open().get().role == "manager"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere", "d@example.org"], "There is no tenant “nowhere”"),
        (["acme", "no-address"], "valid email address"),
        (["acme", "bob@example.org"], "bob@example.org belongs to Acme already"),
        (["acme", "d@example.org", "--role", "king"], "invalid choice: 'king'"),
        (["acme"], "required: email"),
    ],
)
def test_invite_names_what_is_wrong(
    member: Membership, arguments: list[str], complaint: str
) -> None:
    with pytest.raises(CommandError, match=complaint):
        run("invite", *arguments)

    assert not Invitation.objects.exists()
