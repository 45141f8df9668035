"""A browser for tests, whose requests meet the database as in production: without a scope."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from django.core.signals import setting_changed
from django.db import connection
from django.dispatch import receiver
from django.test import Client
from django.test.client import ClientHandler

# What a scope costs inside a test's transaction: savepoint, setting, setting back, release. By
# itself it costs the beginning and end of a transaction, and one statement.
SCOPE_STATEMENTS = 4


def raw_connection() -> "psycopg.Connection[Any]":
    """The test's own connection, past Django, so that no query is counted."""
    connection.ensure_connection()
    raw: psycopg.Connection[Any] = connection.connection
    return raw


def current_scope() -> tuple[str, str]:
    """What row-level security confines the test's connection to: tenants, and "on" for all."""
    row = raw_connection().execute(
        "SELECT coalesce(current_setting('atrium.tenants', true), ''),"
        " coalesce(current_setting('atrium.platform', true), '')"
    )
    tenants, platform = row.fetchone() or ("", "")
    return tenants, platform


@contextmanager
def without_scope() -> Iterator[None]:
    """No scope on the test's connection, which otherwise sees everything; and none left after."""
    raw_connection().execute("SELECT set_config('atrium.platform', '', false)")
    try:
        yield
        assert current_scope() == ("", ""), "a scope was left on the connection"
    finally:
        if not connection.needs_rollback:
            raw_connection().execute("SELECT set_config('atrium.platform', 'on', false)")


@cache
def _handler(*, enforce_csrf_checks: bool) -> ClientHandler:
    """One for all clients, as a web process has one: its middleware reads all static files."""
    return ClientHandler(enforce_csrf_checks)


@receiver(setting_changed)
def _forget_handlers(**about: object) -> None:
    """Middleware reads settings when it is made."""
    _handler.cache_clear()


class PortalClient(Client):
    """Django's test client; each request starts without a scope and must leave none."""

    def request(self, **request: Any) -> Any:
        """Send it."""
        checks = self.handler.enforce_csrf_checks
        self.handler = _handler(enforce_csrf_checks=checks)
        with without_scope():
            return super().request(**request)
