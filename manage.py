#!/usr/bin/env python
"""The project's commands. ``manage.py help`` lists them; ``manage.py up`` runs everything."""

import os
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from portal.embedded.errors import EmbeddedError
from portal.embedded.plan import prepare

BASE_DIR = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """Run one command. A wrong setting is one line and exit status 2, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        if arguments[1:2] == ["up"]:
            prepare(BASE_DIR, arguments[2:], os.environ)
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        return _refuse(f"Wrong setting: {error}", status=2)
    except EmbeddedError as error:
        return _refuse(str(error), status=1)
    return 0


def _refuse(text: str, *, status: int) -> int:
    sys.stderr.write(" ".join(text.split()) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv))
