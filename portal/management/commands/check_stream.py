"""``manage.py check_stream``: does the gateway let streams and prompts through, and no attack?"""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from getpass import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from portal.streamcheck import corpus
from portal.streamcheck.connection import Origin, Unreachable
from portal.streamcheck.diagnostic import MAX_SECONDS, Plan
from portal.streamcheck.finding import find_portal
from portal.streamcheck.person import measure_answer
from portal.streamcheck.replay import Pace, replay_attacks, replay_prompts
from portal.streamcheck.report import Report
from portal.streamcheck.streams import check_answer, check_stream

PARTS = ("stream", "prompts", "attacks")
# Of a request beside what the pace says, for the estimate.
_REQUEST_SECONDS = 0.05
_EPILOG = """\
examples:
  manage.py check_stream https://chat.example.com
  manage.py check_stream https://chat.example.com --only stream --seconds 300
  manage.py check_stream https://chat.example.com --only stream --email me@example.com < password
  manage.py check_stream https://chat.example.com --only attacks --json > attacks.json

exit status: 0 everything is as it should be, 1 something is to be changed, 2 nothing could be
measured (no portal there, wrong key, not reachable)
"""

_OPTIONS: dict[str, dict[str, Any]] = {
    "url": {"help": "scheme and host that people use, like https://chat.example.com"},
    "--only": {
        "action": "append", "choices": PARTS, "help": "this part alone; can be repeated",
    },
    "--seconds": {"type": float, "default": 20.0, "help": "how long the stream is to live; 20"},
    "--heartbeat": {
        "type": float, "default": 15.0, "metavar": "SECONDS",
        "help": "silence between two heartbeats of the stream; 15, as in real ones",
    },
    "--email": {
        "help": "sign in as this person, whose password is on standard input, and measure one"
        " real answer",
    },
    "--tenant": {
        "default": "", "metavar": "SLUG", "help": "where to ask, for people with several",
    },
    "--pace": {
        "type": float, "default": 0.2, "metavar": "SECONDS",
        "help": "from one request to the next, to stay below the firewall's rate limit; 0.2",
    },
    "--ca": {"type": Path, "metavar": "FILE", "help": "certificates (PEM) of a private authority"},
    "--insecure": {"action": "store_true", "help": "accept any certificate"},
    "--json": {"action": "store_true", "help": "print the result as JSON"},
    "--dry-run": {"action": "store_true", "help": "say what would be sent, and send nothing"},
}  # fmt: skip


class Command(BaseCommand):
    """Measure, and say what is to be changed."""

    help = (
        "Measure the portal through its gateway, from anywhere: whether events of a stream arrive"
        " one by one and for how long, whether what people write to the model is let through by the"
        " firewall, and whether attacks are stopped before the portal. For the stream it needs the"
        " portal's SECRET_KEY; it needs no database. Nobody is signed in, no model is called and"
        " nothing is stored, unless --email asks for one real answer. Safe to repeat."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """With examples below the options."""
        kwargs |= {"epilog": _EPILOG, "formatter_class": RawDescriptionHelpFormatter}
        return super().create_parser(prog_name, subcommand, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, what, and how fast."""
        for name, option in _OPTIONS.items():
            parser.add_argument(name, **option)

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure part by part."""
        parts = options["only"] or list(PARTS)
        origin, plan = _read(options)
        if options["dry_run"]:
            self._say_plan(origin, plan, parts, options)
            return
        try:
            find_portal(origin)
            report = self._measure(origin, plan, parts, options)
        except Unreachable as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), indent=2, ensure_ascii=False))
        else:
            self.stdout.write("\n".join(report.lines()))
        if not report.is_good:
            sys.exit(1)

    def _measure(
        self, origin: Origin, plan: Plan, parts: list[str], options: dict[str, Any]
    ) -> Report:
        report = Report(origin.url)
        password = _read_password() if options["email"] else ""
        if "stream" in parts:
            self._tell(f"Reading {origin.url}/streamz for {plan.seconds:.0f} s ...")
            report.stream = check_stream(origin, plan)
        if options["email"]:
            self._tell("Asking the model one question ...")
            report.answer = check_answer(
                measure_answer(
                    origin, email=options["email"], password=password, tenant=options["tenant"]
                )
            )
        if "prompts" in parts:
            report.prompts = replay_prompts(
                origin, corpus.prompts(), self._pace("Prompts", options)
            )
        if "attacks" in parts:
            report.attacks = replay_attacks(
                origin, corpus.attacks(), self._pace("Attacks", options)
            )
        return report

    def _pace(self, name: str, options: dict[str, Any]) -> Pace:
        """How fast, and how far it is, in one line of a terminal or a line every 100 requests."""
        is_terminal = self.stderr.isatty()

        def progress(done: int, total: int) -> None:
            if is_terminal:
                self._tell(f"\r{name}: {done} of {total}", ending="\n" if done == total else "")
            elif done % 100 == 0 or done == total:
                self._tell(f"{name}: {done} of {total}")

        return Pace(options["pace"], progress)

    def _tell(self, text: str, ending: str = "\n") -> None:
        self.stderr.write(text, lambda words: words, ending)
        self.stderr.flush()

    def _say_plan(
        self, origin: Origin, plan: Plan, parts: list[str], options: dict[str, Any]
    ) -> None:
        posts, attacks = 4 * len(corpus.prompts()), len(corpus.attacks())
        each, paths = options["pace"] + _REQUEST_SECONDS, " and ".join(corpus.CHAT_PATHS)
        lines = {
            "stream": f"read {origin.url}/streamz for {plan.seconds:.0f} s",
            "prompts": f"post prompts, signed in as nobody, to {paths}: {posts} requests in about"
            f" {posts * each:.0f} s",
            "attacks": f"send attacks to other fields and paths: {attacks} requests in about"
            f" {attacks * each:.0f} s",
        }
        for part in parts:
            self.stdout.write(f"Would {lines[part]}")
        if options["email"]:
            self.stdout.write(f"Would sign in as {options['email']} and ask the model one question")


def _read(options: dict[str, Any]) -> tuple[Origin, Plan]:
    """Where to measure, and the stream that is asked for."""
    plan = Plan(options["seconds"], options["heartbeat"])
    if not 1 <= plan.seconds <= MAX_SECONDS:
        raise CommandError(f"--seconds must be from 1 to {MAX_SECONDS:.0f}", returncode=2)
    if plan.heartbeat_seconds <= 0 or options["pace"] < 0:
        raise CommandError("--heartbeat and --pace must not be negative", returncode=2)
    try:
        return Origin(options["url"], ca=options["ca"], insecure=options["insecure"]), plan
    except ValueError as error:
        raise CommandError(str(error), returncode=2) from error


def _read_password() -> str:
    """Not from an argument, which every user of the machine could read."""
    if sys.stdin.isatty():
        return getpass("Password: ")
    return sys.stdin.readline().rstrip("\n")
