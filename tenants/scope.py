"""Which tenants' rows the current transaction may read and write. The database sees to it.

PostgreSQL's row-level security shows no row, and takes none, outside the scope that is set here
(tenants/isolation.py has the policies). A scope is a transaction: it ends with it, so a connection
that goes back to the pool has none. What was set is read from the database itself, which is why
scopes of threads and greenlets cannot be mixed up.
"""

import logging
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection, transaction

from tenants.models import Tenant

logger = logging.getLogger(__name__)


class ScopeError(Exception):
    """A scope would have been wider than the one around it."""


class _Scope(NamedTuple):
    """The two settings that the policies read, as PostgreSQL keeps them."""

    tenants: str
    platform: str

    def may_hold(self, inner: "_Scope") -> bool:
        """Whether `inner` shows nothing that this one does not."""
        if self.platform == "on" or self == _NOTHING:
            return True
        return inner.platform != "on" and inner.ids <= self.ids

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self.tenants.split(",")) - {"", str(_NOBODY)}


_NOTHING = _Scope("", "")
_NOBODY = uuid.UUID(int=0)  # the id of no tenant: a scope of none is a scope, and not a missing one
_PLATFORM = _Scope("", "on")

# The subquery is read before the settings are made: it answers what was there.
_SET = """
SELECT before.tenants, before.platform,
    set_config('atrium.tenants', %s, true), set_config('atrium.platform', %s, true)
FROM (
    SELECT coalesce(current_setting('atrium.tenants', true), '') AS tenants,
        coalesce(current_setting('atrium.platform', true), '') AS platform
    OFFSET 0
) AS before
"""


@contextmanager
def tenant_scope(tenant: Tenant | uuid.UUID) -> Iterator[None]:
    """A transaction in which the rows of this tenant are all there is.

    Raises ScopeError inside a scope that does not have the tenant.
    """
    with tenants_scope([tenant]):
        yield


@contextmanager
def tenants_scope(tenants: Iterable[Tenant | uuid.UUID]) -> Iterator[None]:
    """A transaction in which the rows of these tenants are all there is.

    Raises ScopeError inside a scope that does not have all of them.
    """
    ids = {str(tenant.pk if isinstance(tenant, Tenant) else tenant) for tenant in tenants}
    ids = ids or {str(_NOBODY)}
    with _scope(_Scope(",".join(sorted(ids)), "")):
        yield


@contextmanager
def platform_scope(reason: str) -> Iterator[None]:
    """A transaction with the rows of all tenants, and those of none (a failed sign-in).

    For what cannot belong to one tenant; `reason` says what that is. Raises ScopeError inside
    a scope of tenants.
    """
    logger.debug("platform scope: %s", reason)
    with _scope(_PLATFORM):
        yield


def narrow_scope(tenant: Tenant | uuid.UUID) -> None:
    """From here on to its end, the scope around has the rows of this tenant alone.

    For who has to look first which tenant it is about; one statement instead of a transaction.
    Raises ScopeError outside a scope, and in one that does not have the tenant.
    """
    scope = _Scope(str(tenant.pk if isinstance(tenant, Tenant) else tenant), "")
    before = _set(scope)
    if before == _NOTHING or not before.may_hold(scope):
        _set(before)
        raise ScopeError(f"{scope} is no part of the scope around it, {before}")


def describe_scope() -> str:
    """What the connection of this thread is confined to: "none", "platform", or ids of tenants."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('atrium.tenants', true),"
            " current_setting('atrium.platform', true)"
        )
        tenants, platform = cursor.fetchone()
    return "platform" if platform == "on" else tenants or "none"


@contextmanager
def _scope(scope: _Scope) -> Iterator[None]:
    is_nested = connection.in_atomic_block
    with transaction.atomic():
        before = _set(scope)
        if not before.may_hold(scope):
            raise ScopeError(f"{scope} is wider than the scope around it, {before}")
        yield
        # The end of a transaction unsets by itself, and so does a rollback.
        if is_nested and not connection.needs_rollback:
            _set(before)


def _set(scope: _Scope) -> _Scope:
    """Set the scope of the current transaction; the one before it."""
    with connection.cursor() as cursor:
        cursor.execute(_SET, scope)
        tenants, platform, *_ = cursor.fetchone()
    return _Scope(tenants, platform)
