"""`manage.py create_member`."""

import sys
from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from tenants import services
from tenants.errors import TenantError
from tenants.management.scoped import PlatformCommand
from tenants.models import Membership, User


class Command(PlatformCommand):
    """Lets a person into a tenant."""

    help = (
        "Make a person a member of a tenant, with an account if they have none."
        " Example: create_member acme alice@acme.example --role owner. The password is asked for,"
        " or read from standard input with --password-stdin; with --no-password the person sets"
        " it by e-mail. An account that exists keeps its name and password."
        " Not repeatable: it refuses a membership that exists, and changes nothing then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant, e-mail, role and where the password comes from."""
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("email")
        parser.add_argument("--name", default="", help="of a new account")
        parser.add_argument("--role", choices=Membership.Role.values, default="member")
        group = parser.add_mutually_exclusive_group()
        group.add_argument(
            "--password-stdin", action="store_true", help="read it from standard input"
        )
        group.add_argument(
            "--no-password", action="store_true", help="the person sets it by e-mail"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the membership and say so."""
        has_account = User.objects.filter(email=options["email"].lower()).exists()
        try:
            tenant = services.get_tenant(options["tenant"])
            membership = services.create_member(
                tenant=tenant,
                email=options["email"],
                name=options["name"],
                role=options["role"],
                password=None if has_account else _password(options),
            )
        except TenantError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{membership.user.email} is now {membership.role} of “{tenant.name}”.")
        if has_account:
            self.stdout.write("The account was there: its name and password are unchanged.")


def _password(options: dict[str, Any]) -> str | None:
    """The password of a new account, which the portal's own rules accept; None for none."""
    if options["no_password"]:
        return None
    password = _read_password(is_piped=options["password_stdin"])
    validate_password(password, User(email=options["email"], name=options["name"]))
    return password


def _read_password(*, is_piped: bool) -> str:
    if is_piped:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise CommandError("Say --password-stdin or --no-password where nobody can be asked.")
    password = getpass("Password: ")
    if getpass("Once more: ") != password:
        raise CommandError("The two passwords differ.")
    return password
