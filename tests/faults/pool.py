"""What is left on the connections that lie in this process's pool."""

from contextlib import ExitStack

from django.db import connection, connections

_SCOPE = (
    "SELECT coalesce(current_setting('atrium.tenants', true), '')"
    " || coalesce(current_setting('atrium.platform', true), '')"
)


def scopes_left(*, most: int = 2) -> list[str]:
    """The scopes of this thread's own connection and of those in the pool, `most` at once.

    Gives the thread's connection back.
    """
    found = []
    if connection.connection is not None:
        with connection.cursor() as cursor:
            cursor.execute(_SCOPE)
            found.append(cursor.fetchone()[0])
    connections.close_all()
    pool = connection.pool  # type: ignore[attr-defined]  # of the PostgreSQL back end
    with ExitStack() as taken:
        for _ in range(most):
            other = taken.enter_context(pool.connection())
            found.append(other.execute(_SCOPE).fetchone()[0])
            other.rollback()
    return [scope for scope in found if scope]
