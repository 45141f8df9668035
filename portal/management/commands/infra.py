"""``manage.py infra``: the template in Azure, from a first look to its removal."""

import json
import logging
import re
import shlex
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal.infra import bundle, deploying, history, removal
from portal.infra.arm import Arm, ArmError
from portal.infra.bundle import BundleError
from portal.infra.changes import Changes
from portal.infra.deploying import Interrupted
from portal.infra.history import NothingDeployed
from portal.infra.parameters import Parameters, ParametersError, collect
from portal.infra.plans import Plan, Refused, in_the_way, told
from portal.infra.terminal import Terminal

MAIN = settings.BASE_DIR / "infra" / "arm" / "main.json"
POLL_SECONDS = 5.0
FAILED, USAGE, CHANGED, INTERRUPTED = 1, 2, 3, 130
EXAMPLES = """\
examples:
  manage.py infra validate --offline --parameters infra/arm/scenario1-private.parameters.json
  manage.py infra deploy --dry-run -g rg-atrium --location swedencentral \\
      --parameters infra/arm/scenario1-private.parameters.json --set image=atrium:1.4.0
  manage.py infra deploy -g rg-atrium --parameters mine.json --set emailUrl=@relay.txt
  manage.py infra deploy -g rg-atrium --follow
  manage.py infra outputs -g rg-atrium --env
  manage.py infra destroy -g rg-atrium --dry-run

Azure is signed in to like `az` does it (az login), or with a managed identity. All of it may be
repeated. exit status: 0 done, 1 failed or refused, 2 wrong use, 3 changes (what-if --exit-code),
130 interrupted."""


class Command(BaseCommand):
    """Validate, look ahead, deploy, show, take away."""

    help = (
        "Deploy Atrium's template to Azure (infra/arm), look at what that would do, or remove it."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With examples, in the lines in which they are written."""
        more = {"epilog": EXAMPLES, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **more, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """A parser for each action."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        validate = actions.add_parser("validate", help="check template and parameters")
        _template_options(validate)
        validate.add_argument("--offline", action="store_true", help="do not ask Azure")
        what_if = actions.add_parser("what-if", help="show what a deployment would change")
        _template_options(what_if)
        what_if.add_argument("--full", action="store_true", help="each property that changes")
        what_if.add_argument("--json", action="store_true", help="for machines")
        what_if.add_argument("--exit-code", action="store_true", help="exit with 3 when it changes")
        _deploy_options(actions.add_parser("deploy", help="deploy, and watch it"))
        outputs = actions.add_parser("outputs", help="show what the last deployment gave")
        _group_options(outputs)
        form = outputs.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="for machines")
        form.add_argument("--env", action="store_true", help="as KEY=value, for a shell")
        destroy = actions.add_parser("destroy", help="delete the group and all that is in it")
        _group_options(destroy)
        destroy.add_argument("--dry-run", action="store_true", help="only show what would go")
        destroy.add_argument("--yes", action="store_true", help="do not ask for the group's name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, and turn every refusal into a line and an exit status."""
        # Machines read standard output; then people are told on standard error.
        stream = self.stderr if options.get("json") or options.get("env") else self.stdout
        screen = Terminal(_Plain(stream))
        # What it tries in vain to sign in with is told once, and shorter, by us.
        logging.getLogger("azure.identity").setLevel(logging.ERROR)
        act = getattr(self, f"_{options['action'].replace('-', '_')}")
        try:
            act(screen, options)
        except ParametersError as error:
            raise CommandError(str(error), returncode=USAGE) from error
        except ArmError as error:
            raise CommandError(told(error), returncode=FAILED) from error
        except (BundleError, Refused, NothingDeployed) as error:
            raise CommandError(str(error), returncode=FAILED) from error
        except Interrupted as error:
            raise CommandError(str(error), returncode=INTERRUPTED) from error
        except KeyboardInterrupt:
            text = "Interrupted. What Azure had begun goes on there"
            raise CommandError(text, returncode=INTERRUPTED) from None

    # ── Actions ────────────────────────────────────────────────────────────────────────────────
    def _validate(self, screen: Terminal, options: dict[str, Any]) -> None:
        template, parameters = self._read(options, screen)
        if options["offline"]:
            parameters.check()
            count, size = bundle.modules(template), bundle.size(template)
            screen.line(f"Template ({count} modules, {size:,} bytes) and parameters fit together.")
            return
        with self._arm(options) as arm:
            plan = self._plan(arm, template, parameters, options)
            plan.look(screen)
            problems = plan.preflight(screen)
            if plan.existing:
                plan.validate(screen)
            else:
                screen.line("The group does not exist, so Azure could not check the template.")
        if problems:
            raise Refused(in_the_way(problems))

    def _what_if(self, screen: Terminal, options: dict[str, Any]) -> None:
        template, parameters = self._read(options, screen)
        with self._arm(options) as arm:
            plan = self._plan(arm, template, parameters, options)
            plan.look(screen)
            if not plan.existing:
                raise Refused(f"There is no resource group {plan.group}: everything would be new")
            screen.title("Changes")
            changes = plan.changes(screen)
        self._show(changes, screen, options)
        if changes and options["exit_code"]:
            sys.exit(CHANGED)

    def _show(self, changes: Changes, screen: Terminal, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(changes.json(), indent=2))
            return
        for line in changes.lines(is_full=options["full"]):
            screen.line(f"  {line}" if line else "")

    def _deploy(self, screen: Terminal, options: dict[str, Any]) -> None:
        pace = {"every_seconds": options["every"]}
        if not (options["follow"] or options["cancel"]):
            if options["template"] == MAIN and not options["parameters"]:
                raise Refused(
                    "Give --parameters: without them everything would be the template's default,"
                    " also what an earlier deployment set otherwise"
                )
            template, parameters = self._read(options, screen)
        with self._arm(options) as arm:
            group = _group(options)
            if options["cancel"]:
                deploying.cancel(arm, group, screen)
            elif options["follow"]:
                name = deploying.running_name(arm, group)
                deploying.follow(arm, group, name, screen, **pace)
            else:
                deploying.deploy(
                    self._plan(arm, template, parameters, options),
                    screen,
                    is_dry=options["dry_run"],
                    despite_problems=options["despite_problems"],
                    **pace,
                )

    def _outputs(self, screen: Terminal, options: dict[str, Any]) -> None:
        with self._arm(options) as arm:
            found = history.outputs(arm, _group(options))
        if options["json"]:
            self.stdout.write(json.dumps(found, indent=2))
            return
        width = max(map(len, found), default=0)
        for name, value in found.items():
            text = value if isinstance(value, str) else json.dumps(value)
            line = f"{_variable(name)}={shlex.quote(text)}" if options["env"] else ""
            self.stdout.write(line or f"{name:{width}}  {text}")

    def _destroy(self, screen: Terminal, options: dict[str, Any]) -> None:
        with self._arm(options) as arm:
            found = removal.look(arm, _group(options))
            found.tell(screen)
            screen.line()
            found.refuse_locks()
            if options["dry_run"]:
                screen.line("Dry run: nothing was deleted.")
                return
            if not options["yes"]:
                _ask(found.group)
            screen.line(f"Deleting {found.group}; this takes some minutes …")
            removal.remove(arm, found.group)
            screen.line(f"{found.group} is deleted.")

    # ── What they share ────────────────────────────────────────────────────────────────────────
    def _read(self, options: dict[str, Any], screen: Terminal) -> tuple[bundle.Json, Parameters]:
        """Template and parameters; the template is written where that is asked for."""
        template = bundle.build(options["template"])
        if options["write"]:
            _write(options["write"], bundle.text(template))
            screen.line(f"Wrote {options['write']} ({bundle.size(template):,} bytes)")
        files, given = options["parameters"], options["set"]
        return template, collect(template, files, given, options["location"])

    def _plan(
        self, arm: Arm, template: bundle.Json, parameters: Parameters, options: dict[str, Any]
    ) -> Plan:
        return Plan(arm, _group(options), template, options["template"], parameters)

    def _arm(self, options: dict[str, Any]) -> Arm:
        _group(options)
        subscription = options["subscription"] or settings.AZURE_SUBSCRIPTION_ID
        if not subscription:
            raise CommandError(
                "Which subscription? Set AZURE_SUBSCRIPTION_ID or --subscription", returncode=USAGE
            )
        return Arm(subscription)


class _Plain:
    """Django's wrapper of a stream, without its colours and line ends."""

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper

    def write(self, text: str, /) -> None:
        self._wrapper.write(text, style_func=str, ending="")

    def flush(self) -> None:
        self._wrapper.flush()

    def isatty(self) -> bool:
        return bool(self._wrapper.isatty())


def _group_options(parser: ArgumentParser) -> None:
    parser.add_argument("-g", "--resource-group", metavar="NAME", default="")
    parser.add_argument("--subscription", metavar="ID", default="",
                        help="else AZURE_SUBSCRIPTION_ID")  # fmt: skip


def _template_options(parser: ArgumentParser) -> None:
    _group_options(parser)
    parser.add_argument("--parameters", metavar="FILE", type=Path, action="append", default=[],
                        help="parameter file; repeatable, later ones win")  # fmt: skip
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[],
                        help="one parameter; NAME=@FILE reads it (keep secrets out of the"
                        " command line); lists and objects as JSON")  # fmt: skip
    parser.add_argument("--location", metavar="REGION", default="",
                        help="of everything, and of a new resource group")  # fmt: skip
    parser.add_argument("--template", metavar="FILE", type=Path, default=MAIN,
                        help="else infra/arm/main.json")  # fmt: skip
    parser.add_argument("--write", metavar="FILE", type=Path,
                        help="also write the self-contained template, for the portal or"
                        " a pipeline of your own")  # fmt: skip


def _deploy_options(parser: ArgumentParser) -> None:
    _template_options(parser)
    parser.description = (
        "Look ahead (preflight, validation, what-if), then deploy and watch. Safe to repeat:"
        " nothing is deleted, the image that runs is kept unless --set image=… names another,"
        " and Django's secret key is made once."
    )
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--dry-run", action="store_true", help="look ahead, and change nothing")
    kind.add_argument("--follow", action="store_true", help="watch the deployment that runs")
    kind.add_argument("--cancel", action="store_true", help="stop the deployment that runs")
    parser.add_argument("--despite-problems", action="store_true",
                        help="deploy though preflight found problems")  # fmt: skip
    parser.add_argument("--every", metavar="SECONDS", type=float, default=POLL_SECONDS,
                        help="between two looks at its progress (5)")  # fmt: skip


def _group(options: dict[str, Any]) -> str:
    if not options["resource_group"]:
        raise CommandError("Which resource group? Say --resource-group NAME", returncode=USAGE)
    return str(options["resource_group"])


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}", returncode=FAILED) from error


def _variable(name: str) -> str:
    """Like WEB_APP_NAME of webAppName."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def _ask(group: str) -> None:
    """Refuse unless the group's name is typed."""
    sys.stderr.write(f"This cannot be undone. Type {group} to delete it: ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    if not sys.stdin.isatty():
        sys.stderr.write("\n")
    if answer != group:
        raise Refused("Nothing was deleted: that is not its name")
