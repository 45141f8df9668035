"""Two scopes at once in one thread, as in the worker: `python -m tests.tenants.greenlets`.

Prints what each greenlet is confined to while the other one is in a scope of its own.
"""

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402  # after patching, as in the worker
import uuid  # noqa: E402

import django  # noqa: E402
import gevent  # noqa: E402
from gevent.event import Event  # noqa: E402

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from django.db import connections  # noqa: E402  # after django.setup()

from tenants.scope import describe_scope, tenant_scope  # noqa: E402


def confine(number: int, mine: Event, other: Event) -> tuple[str, str]:
    """What this greenlet is confined to in its scope, and after it."""
    try:
        with tenant_scope(uuid.UUID(int=number)):
            mine.set()
            other.wait()
            inside = describe_scope()
        return inside, describe_scope()
    finally:
        connections.close_all()


def main() -> None:
    first, second = Event(), Event()
    greenlets = [gevent.spawn(confine, 1, first, second), gevent.spawn(confine, 2, second, first)]
    gevent.joinall(greenlets, raise_error=True)
    for greenlet in greenlets:
        print(*greenlet.value)


if __name__ == "__main__":
    main()
