#!/usr/bin/env python
"""The project's commands. ``manage.py help`` lists them; ``manage.py up`` runs everything."""

import os
import secrets
import sys
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from portal.embedded.errors import EmbeddedError
from portal.embedded.plan import prepare
from portal.environment import Env

BASE_DIR = Path(__file__).resolve().parent
# Commands that operators run elsewhere, or where the portal itself cannot start: what they have no
# use for gets a value that leads nowhere.
FROM_ANYWHERE = {"infra", "release", "check_network", "check_stream"}
NOWHERE = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "memorymail://",
}


def main(arguments: list[str]) -> int:
    """Run one command. A wrong setting is one line and exit status 2, not a traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        if arguments[1:2] == ["up"]:
            prepare(BASE_DIR, arguments[2:], os.environ)
        if set(arguments[1:2]) & FROM_ANYWHERE:
            _fill_in(needs_key=arguments[1] == "check_stream")
        execute_from_command_line(arguments)
    except ImproperlyConfigured as error:
        return _refuse(f"Wrong setting: {error}", status=2)
    except EmbeddedError as error:
        return _refuse(str(error), status=1)
    return 0


def _fill_in(*, needs_key: bool) -> None:
    """Values for what is set neither here nor in a file."""
    for file in (BASE_DIR / ".env", BASE_DIR / "var" / "local.env"):
        if file.is_file():
            Env.read_env(file)
    for name, value in NOWHERE.items():
        os.environ.setdefault(name, value)
    if not (needs_key and os.environ.get("KEY_VAULT_URL")):
        os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))


def _refuse(text: str, *, status: int) -> int:
    sys.stderr.write(" ".join(text.split()) + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv))
