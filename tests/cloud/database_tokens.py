"""PostgreSQL that takes the tokens of an identity: each is the role's password until it expires.

(Of one role only the newest token is taken, so processes that keep their own need roles of their
own; Azure takes every token until it expires.)
"""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from psycopg import sql

from tests import servers
from tests.cloud.identity import POSTGRES, Token


class DatabaseRole:
    """A role named as an identity, which may what the application's may: ``Identity.told`` it."""

    def __init__(self, name: str, client_id: str) -> None:
        self.name = name
        self._client_id = client_id
        with servers.superuser_connection() as connection:
            names = (
                sql.Identifier(name),
                sql.Identifier(urlsplit(servers.postgres.url).username or ""),
            )
            for statement in (
                "DROP ROLE IF EXISTS {0}",
                "CREATE ROLE {0} LOGIN",
                "GRANT {1} TO {0}",
            ):
                connection.execute(sql.SQL(statement).format(*names))

    @property
    def url(self) -> str:
        """DATABASE_URL, without any password."""
        place = urlsplit(servers.postgres.url)
        return f"postgres://{self.name}@{place.hostname}:{place.port}{place.path}"

    def learn(self, token: Token) -> None:
        """Take this token until it expires, if it is ours."""
        if token.resource != POSTGRES or token.client_id != self._client_id:
            return
        with servers.superuser_connection() as connection:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {} VALID UNTIL {}").format(
                    sql.Identifier(self.name),
                    sql.Literal(token.value),
                    sql.Literal(_at(token.expires_at)),
                )
            )


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
