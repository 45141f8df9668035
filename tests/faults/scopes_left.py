"""Each task and command of ours, run by itself, and the scopes that it left on connections.

`python -m tests.faults.scopes_left` with the application's own environment and
DATABASE_POOL_SIZE=2; the database has what tests/tenants/both.py makes. Prints JSON: what was left
or went wrong, by name.
"""

from gevent import monkey

monkey.patch_all()  # tasks run in greenlets

import io  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from contextlib import redirect_stdout  # noqa: E402
from functools import partial  # noqa: E402

import django  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from celery import current_app  # noqa: E402  # after django.setup()
from django.core.management import call_command  # noqa: E402
from django.core.management.base import CommandError  # noqa: E402
from django.db import DatabaseError  # noqa: E402

from tests.faults.pool import scopes_left  # noqa: E402

_CATALOGUE = '[{"name": "tiny", "label": "T", "kind": "openai", "model": "t", "context_window": 512}]'
# How each command is called. None: it has no connection of ours, and the reason.
COMMANDS: dict[str, list[list[str]] | None] = {
    "apply_retention": [[]],
    "create_demo": [["--skip-model"], []],
    "create_member": [["acme", "new@acme.example"], ["nowhere", "new@acme.example"]],
    "create_roles": None,  # connects as an administrator of the server, by itself
    "create_tenant": [["initech", "Initech"], ["acme", "Acme again"]],
    "invite": [["acme", "invited@acme.example"], ["nowhere", "invited@acme.example"]],
    "migrate": [["--check"], ["--plan"]],
    "settle": [[]],
    "shell": [
        ["-c", "from chat.models import Message; assert not Message.objects.exists()"],
        ["-c", "from chat.models import Message; assert Message.objects.exists()",
         "--tenant", "acme"],
        ["-c", "from chat.models import Message; assert Message.objects.exists()",
         "--platform", "a test"],
        ["-c", "1 / 0", "--platform", "a test"],
        ["-c", "pass", "--tenant", "nowhere"],
    ],
    "sync_deployments": [["-"], ["--dry-run", "-"]],
    "up": None,  # starts servers, and asks them over connections of its own
    "verify_audit": [[], ["--tenant", "acme"], ["--tenant", "nowhere"]],
}  # fmt: skip


def jobs() -> dict[str, list[Callable[[], object]]]:
    """Every task, and every command with its arguments, by name."""
    ours = {name for name in current_app.tasks if name.split(".")[0] in {"chat", "tenants"}}
    tasks = {name: [current_app.tasks[name]] for name in sorted(ours)}
    commands = {
        name: [partial(call_command, name, *arguments) for arguments in calls]
        for name, calls in COMMANDS.items()
        if calls is not None
    }
    return tasks | commands


def outcome(job: Callable[[], object]) -> list[str]:
    """What it left, and an error that no job may have."""
    wrong = []
    sys.stdin = io.StringIO(_CATALOGUE)
    try:
        with redirect_stdout(io.StringIO()):
            job()
    except (CommandError, SystemExit, ZeroDivisionError):
        pass  # as it should
    except (DatabaseError, AssertionError, TypeError) as error:
        wrong.append(f"{type(error).__name__}: {error}")
    return wrong + [f"left {scope}" for scope in scopes_left()]


def main() -> None:
    results = {name: [w for call in calls for w in outcome(call)] for name, calls in jobs().items()}
    print(json.dumps(results))


if __name__ == "__main__":
    main()
