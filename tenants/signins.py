"""Sign-ins, sign-outs and passwords in the audit log.

An event goes to the chain of every tenant that the person belongs to, so that its owners see it;
to the platform's chain when there is none. It is written once the work around it is certain, in a
scope of its own: people also sign out inside a scope of a few tenants, in the admin.

A sign-in that cannot be written down is refused: the exception reaches the response before a
session does. The other events never stand in the way of what they are about.
"""

from typing import Any

from allauth.account.signals import password_changed, password_reset, password_set
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import connection, transaction
from django.dispatch import receiver

from tenants.models import Tenant, User
from tenants.scope import platform_scope
from tenants.services import record

_ADDRESS_CHARS = 100
# For a tenant's chain. Whoever signs in holds one of the web process's few threads meanwhile.
_LONGEST_WAIT = "2s"


@receiver(user_logged_in)
def note_sign_in(user: User, **_: Any) -> None:
    """Somebody signed in, by whatever way."""
    _note("person.signed-in", user.email, actor=user, is_required=True)


@receiver(user_logged_out)
def note_sign_out(user: User | None, **_: Any) -> None:
    """Somebody signed out; None was not signed in."""
    if user is not None:
        _note("person.signed-out", user.email, actor=user)


@receiver(user_login_failed)
def note_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    """Somebody gave a wrong password, or an address that signs nobody in.

    Takes the same statements for an address that is known and for one that is not.
    """
    typed = str(credentials.get("email") or credentials.get("username") or "")
    address = typed.replace("\0", "")[:_ADDRESS_CHARS]
    _note("person.sign-in-failed", address.lower(), address=address)


@receiver(password_changed)
@receiver(password_set)
def note_changed_password(user: User, **_: Any) -> None:
    """Somebody who is signed in chose a new password."""
    _note("password.changed", user.email, actor=user)


@receiver(password_reset)
def note_reset_password(user: User, **_: Any) -> None:
    """Somebody chose a new password by a link that was sent to their address."""
    _note("password.reset", user.email, actor=user)


def _note(
    action: str,
    email: str,
    *,
    actor: User | None = None,
    is_required: bool = False,
    **detail: str,
) -> None:
    def write() -> None:
        with platform_scope(f"{action}: every tenant that the person belongs to"):
            _write(action, email, actor, detail)

    transaction.on_commit(write, robust=not is_required)


def _write(action: str, email: str, actor: User | None, detail: dict[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_LONGEST_WAIT])
    subject = User.objects.filter(email=email).first()
    theirs = Tenant.objects.filter(memberships__user__email=email, memberships__is_active=True)
    # In one order, so that two people of the same tenants do not wait for each other's chains.
    tenants: list[Tenant | None] = [*theirs.order_by("pk")]
    for tenant in tenants or [None]:
        record(action, subject=subject, actor=actor, tenant=tenant, **detail)
