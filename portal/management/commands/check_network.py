"""``manage.py check_network``: is the deployment private, and does it work?"""

import logging
import sys
import textwrap
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.network import dry_run, report
from portal.network.inside import Means
from portal.network.names import AZURE_DNS, NameServer, Resolver, parse_server
from portal.network.plan import PORTS, Plan, PlanError, read_plan
from portal.network.together import inspect_all

USAGE = 2
# They log what fails, which is told here anyway.
_LOUD = ("azure", "msal")
EXAMPLES = """
examples:
  manage.py check_network                        all services, from inside (SSH of an app)
  manage.py check_network --only redis           one of them; may be repeated
  manage.py check_network --json                 for a pipeline
  manage.py check_network --dry-run              what would be looked at; touches no network
  manage.py infra outputs --json > outputs.json
  manage.py check_network --outside --plan outputs.json
                                                 from a machine outside: all must be refused

exit codes: 0 all is as it should be; 1 something is public, wrong or not reached; 2 wrong usage
"""

_ADDRESS = "ADDRESS[:PORT]"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "--outside": {"action": "store_true", "help": "this machine is outside: expect refusals"},
    "--plan": {
        "metavar": "FILE",
        "help": "a plan, or the JSON of `infra outputs`; -: standard input",
    },
    "--only": {
        "action": "append",
        "choices": list(PORTS),
        "default": [],
        "metavar": "SERVICE",
        "help": f"one of {', '.join(PORTS)}; may be repeated",
    },
    "--timeout": {
        "type": float,
        "default": 20.0,
        "metavar": "SECONDS",
        "help": "the longest for one service; all run at once (20)",
    },
    "--dns-server": {
        "metavar": _ADDRESS,
        "help": "ask this one instead of those of /etc/resolv.conf",
    },
    "--azure-dns-server": {
        "metavar": _ADDRESS,
        "default": AZURE_DNS,
        "help": f"Azure's own DNS, asked to tell causes apart ({AZURE_DNS})",
    },
    "--json": {"action": "store_true", "help": "print JSON"},
    "--dry-run": {"action": "store_true", "help": "only say what would be looked at"},
}


class Command(BaseCommand):
    """Look at every service of the deployment, and say what is wrong and why."""

    help = (
        "Prove that the deployment is private: for Azure OpenAI, PostgreSQL, Redis, Key Vault, the"
        " registry and the web app look up the name, check that its address is in the virtual"
        " network, open TLS, get a token of the managed identity, and make the smallest real call."
        " Changes nothing and prints no secret; safe to repeat. Needs the plan of the network in"
        " NETWORK_PLAN (the templates set it) or in a file."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """As Django does, with examples below whose lines stay as they are."""
        parser = super().create_parser(prog_name, subcommand, epilog=EXAMPLES, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.description = textwrap.fill(self.help, 80)
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to look at, and how."""
        for flag, options in ARGUMENTS.items():
            parser.add_argument(flag, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, tell, and end with the exit code."""
        if not options["timeout"] > 0:
            raise CommandError("--timeout must be more than 0", returncode=USAGE)
        means = _means(options)
        is_outside = options["outside"]
        if options["dry_run"]:
            self.stdout.write(dry_run.describe(means, is_outside=is_outside))
            return
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        every = inspect_all(means, is_outside=is_outside, seconds=options["timeout"])
        write = report.as_json if options["json"] else report.as_text
        self.stdout.write(write(every, means, is_outside=is_outside))
        if not report.is_all_good(every):
            raise SystemExit(1)


def _means(options: dict[str, Any]) -> Means:
    try:
        plan = _plan(options["plan"]).only(options["only"] or list(PORTS))
    except PlanError as error:
        raise CommandError(f"The plan of the network: {error}", returncode=USAGE) from error
    return Means(plan, _resolver(options["dns_server"]), _server(options["azure_dns_server"]))


def _plan(file: str | None) -> Plan:
    if file is None and not settings.NETWORK_PLAN:
        raise PlanError("set NETWORK_PLAN, or give --plan FILE")
    if file is None:
        return read_plan(settings.NETWORK_PLAN)
    try:
        return read_plan(sys.stdin.read() if file == "-" else Path(file).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{file} cannot be read: {error}") from error


def _resolver(given: str | None) -> Resolver:
    if given:
        return Resolver((_server(given),))
    try:
        return Resolver.of_system()
    except OSError as error:
        raise CommandError(f"{error}; give --dns-server", returncode=USAGE) from error


def _server(text: str) -> NameServer:
    try:
        return parse_server(text)
    except ValueError as error:
        raise CommandError(f"{text} is no ADDRESS[:PORT]", returncode=USAGE) from error
