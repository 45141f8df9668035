"""Counts what a request asks of the database. Prints JSON: of each, all, and those of its scopes.

Run in a process of its own: `python -m tests.bench.statements EMAIL TENANT`.
"""

import json
import os
import sys
import uuid
from collections.abc import Callable

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.db import connection  # noqa: E402  # after django.setup()
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from chat.models import Conversation  # noqa: E402
from tenants.models import User  # noqa: E402
from tenants.scope import platform_scope  # noqa: E402

_OF_SCOPES = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def count(ask: Callable[[], object]) -> tuple[int, int]:
    """How many statements, and how many of them begin, set and end transactions and scopes."""
    ask()
    with CaptureQueriesContext(connection) as captured:
        ask()
    statements = [query["sql"].lstrip() for query in captured.captured_queries]
    scopes = [s for s in statements if s.startswith(_OF_SCOPES) or "atrium.tenants" in s]
    return len(statements), len(scopes)


def main(email: str, tenant: str) -> None:
    person = User.objects.get(email=email)
    browser = Client(headers={"Host": "127.0.0.1", "X-Requested-With": "fetch"})
    browser.force_login(person)
    with platform_scope("conversations that nobody writes in"):
        idle = Conversation.objects.filter(owner=person).exclude(
            generations__status__in=["queued", "running"]
        )
        paths = [f"/{tenant}/c/{pk}/messages/" for pk in idle.values_list("pk", flat=True)[:2]]

    def send() -> None:
        fields = {"message": "tokens=1", "request_id": str(uuid.uuid4())}
        assert browser.post(paths.pop(), fields).status_code == 201

    counts = {"list": count(lambda: browser.get(f"/{tenant}/c/")), "send": count(send)}
    print(json.dumps(counts))


if __name__ == "__main__":
    main(*sys.argv[1:])
