"""`manage.py sync_deployments`."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import CommandError

from chat import services
from tenants.management.scoped import PlatformCommand


class Command(PlatformCommand):
    """Takes the catalogue of models over from a file."""

    help = (
        "Make the catalogue of deployments be as a JSON or YAML file says: a list of entries, each"
        " with name, label, kind (azure or openai), model, context_window, and where wanted"
        " purpose, endpoint, input_price, output_price (per million tokens), is_active, and"
        " grants: a list of {tenant: slug, default: true}. All entries are checked before anything"
        " is written. Safe to repeat. Example: sync_deployments catalogue.yaml --dry-run."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, and how far to go."""
        parser.add_argument("file", help="JSON or YAML; - reads standard input")
        parser.add_argument(
            "--deactivate-missing",
            action="store_true",
            help="switch off the deployments that the file does not name",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would change, only")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sync and say how many were changed."""
        try:
            synced = services.sync_catalogue(
                _load(options["file"]),
                deactivate_missing=options["deactivate_missing"],
                dry_run=options["dry_run"],
            )
        except services.InvalidCatalogue as error:
            lines = [f"Nothing was changed. {_shown(options['file'])}:", *error.problems]
            raise CommandError("\n  ".join(lines)) from None
        self.stdout.write(
            f"{'Would be: ' if options['dry_run'] else ''}created {synced.created},"
            f" updated {synced.updated}, unchanged {synced.unchanged},"
            f" deactivated {synced.deactivated}."
        )


def _load(name: str) -> object:
    """What the file holds."""
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return _parse(text)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise CommandError(f"{_shown(name)} is not UTF-8 text.") from None
    except yaml.YAMLError as error:
        raise CommandError(
            f"{_shown(name)} is neither JSON nor YAML: {_first_line(error)}"
        ) from None


def _shown(name: str) -> str:
    return "Standard input" if name == "-" else name


def _parse(text: str) -> object:
    """JSON, or else YAML (which forbids the tabs that JSON may be indented with)."""
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)


def _first_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{getattr(error, 'problem', None) or error}{where}."
