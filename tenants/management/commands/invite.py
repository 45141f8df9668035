"""`manage.py invite`."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from tenants import services
from tenants.errors import TenantError
from tenants.management.scoped import PlatformCommand
from tenants.models import Invitation, Membership


class Command(PlatformCommand):
    """Asks a person to join a tenant."""

    help = (
        "Invite a person to a tenant by e-mail. Example: invite acme alice@acme.example --role"
        " owner. The link works once, for that address alone, and for"
        f" {Invitation.VALID_DAYS} days. Safe to repeat: the invitation before is replaced, and its"
        " link dies."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant, e-mail and role."""
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("email")
        parser.add_argument("--role", choices=Membership.Role.values, default="member")
        parser.add_argument(
            "--print-link",
            action="store_true",
            help="print the link too: whoever has it can join, so hand it over with care",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Invite, and say so."""
        try:
            tenant = services.get_tenant(options["tenant"])
            sent = services.invite(tenant=tenant, email=options["email"], role=options["role"])
        except TenantError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        invitation = sent.invitation
        self.stdout.write(
            f"Mail is on its way to {invitation.email}, who may join “{tenant.name}” as"
            f" {invitation.role} until {invitation.expires_at:%Y-%m-%d %H:%M} UTC."
        )
        if options["print_link"]:
            self.stdout.write(sent.link)
