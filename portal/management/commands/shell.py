"""`manage.py shell`, with a scope where one is asked for."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import shell

from tenants import services
from tenants.errors import UnknownTenant
from tenants.scope import platform_scope, tenant_scope


class Command(shell.Command):
    """Django's shell. Without a scope it shows no row of any tenant, as everywhere."""

    help = (
        f"{shell.Command.help} Tenants' rows need a scope: --tenant, --platform, or inside the"
        " session `with tenant_scope(tenant): ...`. With an option, the whole session is one"
        " transaction, which is committed at its end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Django's own, and the scope."""
        super().add_arguments(parser)
        scope = parser.add_mutually_exclusive_group()
        scope.add_argument("--tenant", metavar="SLUG", help="see and change this tenant's rows")
        scope.add_argument(
            "--platform", metavar="REASON", help="see and change the rows of all tenants; say why"
        )

    def get_auto_imports(self) -> list[str]:
        """Django's own, and the scopes."""
        scopes = ("tenant_scope", "tenants_scope", "platform_scope", "describe_scope")
        return [*(super().get_auto_imports() or []), *(f"tenants.scope.{name}" for name in scopes)]

    def handle(self, **options: Any) -> None:
        """Run the session in the scope that was asked for, which the audit log then tells."""
        with _scope(options["tenant"], options["platform"]):
            super().handle(**options)


def _scope(slug: str | None, reason: str | None) -> AbstractContextManager[None]:
    if reason is not None:
        return _platform(reason.strip())
    return nullcontext() if slug is None else _tenant(slug)


def _platform(reason: str) -> AbstractContextManager[None]:
    if not reason:
        raise CommandError("Say why, after --platform: the audit log keeps it.")
    with platform_scope("shell: written down"):
        services.record("shell.opened", reason=reason)
    return platform_scope(f"shell: {reason}")


def _tenant(slug: str) -> AbstractContextManager[None]:
    try:
        with platform_scope("shell: which tenant this is"):
            tenant = services.get_tenant(slug)
            services.record("shell.opened", subject=tenant, tenant=tenant)
    except UnknownTenant as error:
        raise CommandError(str(error)) from None
    return tenant_scope(tenant)
