"""`manage.py create_tenant`."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from tenants import services
from tenants.errors import TenantError
from tenants.management.scoped import PlatformCommand

_OPTIONAL = (
    "notice",
    "accent_colour",
    "max_running",
    "max_running_per_member",
    "max_queued_per_member",
)


class Command(PlatformCommand):
    """Creates an organisation."""

    help = (
        "Create a tenant (an organisation). Example: create_tenant acme 'Acme Ltd'. "
        "Not repeatable: it refuses a slug that exists, and changes nothing then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Slug, name, and what may differ from the defaults."""
        parser.add_argument("slug", help="first part of its addresses: letters, digits, - and _")
        parser.add_argument("name", help="as members see it")
        parser.add_argument("--notice", default="", help="shown to members: what may be entered")
        parser.add_argument("--accent-colour", help="# and six hex digits (default: a blue)")
        parser.add_argument("--max-running", type=int, help="answers at once (default: 20)")
        parser.add_argument(
            "--max-running-per-member", type=int, help="of them, one member's (default: 10)"
        )
        parser.add_argument(
            "--max-queued-per-member", type=int, help="a member's waiting messages (default: 20)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create it and say so."""
        fields = {name: options[name] for name in _OPTIONAL if options[name] is not None}
        try:
            tenant = services.create_tenant(slug=options["slug"], name=options["name"], **fields)
        except TenantError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            lines = [f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items()]
            raise CommandError("\n".join(lines)) from None
        self.stdout.write(f"Created tenant “{tenant.name}” at /{tenant.slug}/.")
