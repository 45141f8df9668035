"""The portal that the pictures are taken from, with the demo's people and a scripted model."""

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from portal.embedded.postgres import Postgres
from portal.embedded.valkey import Valkey
from tests.bench.stack import WEB, WORKER, beat_command, free_port, process, run, wait_until_ready

MANAGE = (sys.executable, "manage.py")


@contextmanager
def running(folder: Path, model_url: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Start everything in `folder`; gives the address, and each person's password by e-mail."""
    with ExitStack() as exits:
        postgres = exits.enter_context(Postgres(folder / "postgres", folder / "postgres.log"))
        valkey = exits.enter_context(Valkey(folder / "valkey", folder / "valkey.log"))
        port = free_port()
        environment = os.environ | {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "DEBUG": "false",
            "DATABASE_URL": postgres.url,
            "DATABASE_OWNER_URL": "",
            "REDIS_URL": valkey.url,
            "OPENAI_BASE_URL": model_url,
            "OPENAI_API_KEY": "pictures",
            "AZURE_OPENAI_ENDPOINT": "",
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "STATIC_ROOT": str(folder / "static"),
        }
        passwords = prepare(folder, environment, postgres.owner_url)
        children = [
            exits.enter_context(process("web", [*WEB, str(port)], folder, environment)),
            exits.enter_context(process("worker", WORKER, folder, environment)),
            exits.enter_context(process("beat", beat_command(folder), folder, environment)),
        ]
        wait_until_ready(port, children)
        yield environment["PUBLIC_URL"], passwords


def prepare(folder: Path, environment: dict[str, str], owner_url: str) -> dict[str, str]:
    """Tables, made by their owner; static files and the demo; the passwords of its people."""
    as_owner = environment | {"DATABASE_OWNER_URL": owner_url}
    run([*MANAGE, "migrate", "--verbosity", "0"], as_owner)
    run([*MANAGE, "collectstatic", "--no-input", "--verbosity", "0"], environment)
    demo = [*MANAGE, "create_demo", "--accounts", str(folder / "accounts.json")]
    made = json.loads(run([*demo, "--model", "Scripted model"], environment))
    return {account["email"]: account["password"] for account in made["accounts"]}
