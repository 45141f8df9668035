"""``manage.py bootstrap``: what a deployment needs once before it can be used."""

import json
import signal
import sys
import threading
from argparse import ArgumentParser
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal import bootstrap, probe
from portal.bootstrap import BootstrapError, Plan


@dataclass
class Progress:
    """What the probe tells: whether the release is done, and how far it has come."""

    is_done: bool = False
    steps: list[str] = field(default_factory=list)

    def health(self) -> probe.Health:
        """200 once it is done; says for which release."""
        return probe.Health(self.is_done, {"release": settings.IMAGE_TAG, "done": self.is_done})


class Command(BaseCommand):
    """Brings roles, tables, catalogue and first people to where a plan wants them."""

    help = (
        "Make what a deployment needs before it can be used: the database and its two roles"
        " (DATABASE_ADMIN_URL, DATABASE_OWNER_URL), the tables, the models of the template's"
        " outputs, a first tenant, and a platform administrator, who then chooses a password by"
        " “Forgot your password?”. The plan is the setting BOOTSTRAP, which the template writes;"
        " options replace its parts. Safe to repeat, and two at once run one after the other: what"
        " is there stays as it is. Examples: bootstrap --dry-run; bootstrap --tenant 'acme=Acme"
        " Ltd' --administrator admin@acme.example --models outputs.json"
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Parts of the plan, and how far to go."""
        parser.add_argument("--tenant", metavar="SLUG=NAME", help="the first tenant")
        parser.add_argument("--administrator", metavar="EMAIL", help="the platform administrator")
        parser.add_argument(
            "--models", metavar="FILE", help="what `infra outputs --json` printed; - reads it"
        )
        parser.add_argument("--dry-run", action="store_true", help="say what is planned, only")
        parser.add_argument(
            "--serve",
            action="store_true",
            help="stay, and answer /healthz on PROBE_PORT with 200 once all is done",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, telling of each step."""
        try:
            plan = _plan(options)
            if options["dry_run"]:
                self._describe(plan)
                return
            progress = Progress()
            if options["serve"]:
                _serve(progress)
            bootstrap.run(plan, say=self._say)
        except BootstrapError as error:
            raise CommandError(str(error)) from None
        progress.is_done = True
        release = f" Release {settings.IMAGE_TAG}." if settings.IMAGE_TAG else ""
        self._say(f"Done.{release}")
        if options["serve"]:
            threading.Event().wait()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()

    def _describe(self, plan: Plan) -> None:
        models = [bootstrap.catalogue_entry(model)["name"] for model in plan.deployments]
        database, owner = settings.DATABASES["default"], settings.DATABASE_OWNER
        self._say(f"Database: {database['NAME']} at {database['HOST']}")
        self._say(f"Roles: owner {owner.user if owner else '(DATABASE_OWNER_URL is not set)'},")
        self._say(f"  {database['USER']} for the application")
        self._say(f"Models: {', '.join(models) or 'none'}")
        self._say(f"First tenant: {'='.join(plan.tenant) if plan.tenant else 'none'}")
        self._say(f"Administrator: {plan.administrator or 'none'}")
        self._say("Nothing was looked at or changed.")


def _plan(options: dict[str, Any]) -> Plan:
    plan = bootstrap.read_plan(settings.BOOTSTRAP)
    if options["tenant"] is not None:
        plan = replace(plan, tenant=bootstrap.read_tenant(options["tenant"]))
    if options["administrator"] is not None:
        plan = replace(plan, administrator=options["administrator"].strip().lower())
    if options["models"] is not None:
        plan = replace(plan, deployments=bootstrap.read_deployments(_load(options["models"])))
    return plan


def _load(name: str) -> object:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return json.loads(text)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise CommandError(f"{name} is not valid JSON") from None


def _serve(progress: Progress) -> None:
    if not settings.PROBE_PORT:
        raise CommandError("--serve needs PROBE_PORT")
    # The first process of a container would not hear it otherwise.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    probe.serve(settings.PROBE_PORT, progress.health)
