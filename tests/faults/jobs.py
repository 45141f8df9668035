"""Each task and command of ours, how it is called, and the scopes that it leaves on connections."""

import io
import sys
import uuid
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial

from celery import current_app
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.faults.pool import scopes_left

_CATALOGUE = (
    '[{"name": "tiny", "label": "T", "kind": "openai", "model": "t", "context_window": 512}]'
)
# How each command is called: first so that it does its work, then also otherwise. None: it uses no
# connection of ours, and the reason.
COMMANDS: dict[str, list[list[str]] | None] = {
    "apply_retention": [[]],
    "bootstrap": [["--dry-run"]],  # else it connects as an administrator of the server
    "check_network": None,  # asks over connections of its own
    "check_stream": [["http://127.0.0.1", "--dry-run"]],
    "create_demo": [["--accounts", "accounts.json", "--model", "small-1"]],
    "create_member": [
        ["acme", "new@acme.example", "--no-password"],
        ["nowhere", "new@acme.example", "--no-password"],
    ],
    "create_roles": None,  # connects as an administrator of the server, by itself
    "create_tenant": [["initech", "Initech"], ["acme", "Acme again"]],
    "infra": None,  # asks Azure only
    "invite": [["acme", "invited@acme.example"], ["nowhere", "invited@acme.example"]],
    "migrate": [["--check"], ["--plan"]],
    "release": None,  # asks Azure only
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


# What a task is called with, where it takes something: here a conversation that is gone.
ARGUMENTS = {"chat.tasks.generate_title": (str(uuid.UUID(int=0)),)}


def jobs() -> dict[str, list[Callable[[], object]]]:
    """Every task, and every command with its arguments, by name."""
    ours = {name for name in current_app.tasks if name.split(".")[0] in {"chat", "tenants"}}
    tasks: dict[str, list[Callable[[], object]]] = {
        name: [partial(current_app.tasks[name], *ARGUMENTS.get(name, ()))] for name in sorted(ours)
    }
    commands: dict[str, list[Callable[[], object]]] = {
        name: [partial(call_command, name, *arguments) for arguments in calls]
        for name, calls in COMMANDS.items()
        if calls is not None
    }
    return tasks | commands


def outcomes(name: str) -> list[str]:
    """What the task or command left and did wrong; only the first call must do its work."""
    calls = jobs()[name]
    return [wrong for number, call in enumerate(calls) for wrong in _outcome(call, number == 0)]


def _outcome(job: Callable[[], object], must_work: bool) -> list[str]:
    wrong = []
    sys.stdin = io.StringIO(_CATALOGUE)
    try:
        with redirect_stdout(io.StringIO()):
            job()
    except (Exception, SystemExit) as error:  # noqa: BLE001  # the test looks at it
        is_refused = isinstance(error, CommandError | SystemExit | ZeroDivisionError)
        if must_work or not is_refused:
            wrong.append(f"{type(error).__name__}: {error}")
    return wrong + [f"left {scope}" for scope in scopes_left()]
