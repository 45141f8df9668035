"""The backend: a token for each new connection, in the pool and outside of it.

PostgreSQL looks at the token when a connection is made, and never again: those that are open live
on when it expires.
"""

from collections.abc import Iterable
from typing import Any

import psycopg
from django.db.backends.postgresql import base, client

from portal import databases


class TokenConnection(psycopg.Connection[Any]):
    """A connection of the pool."""

    @classmethod
    def connect(cls, conninfo: str = "", **kwargs: Any) -> "TokenConnection":
        """As psycopg's, with a token where there is no password."""
        return super().connect(conninfo, **{"password": databases.token(), **kwargs})


class DatabaseClient(client.DatabaseClient):
    """What `manage.py dbshell` runs."""

    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        """As Django's, with a token where there is no password."""
        password = settings_dict["PASSWORD"] or databases.token()
        return super().settings_to_cmd_args_env(
            {**databases.plain(settings_dict), "PASSWORD": password}, parameters
        )


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with a token for every new connection of who has no password."""

    client_class = DatabaseClient

    def __init__(self, settings_dict: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        if pool := settings_dict["OPTIONS"].get("pool"):
            pool["connection_class"] = TokenConnection
        super().__init__(settings_dict, *args, **kwargs)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """As Django's; the pool makes its connections itself."""
        if not self.pool:
            conn_params = {"password": databases.token(), **conn_params}
        return super().get_new_connection(conn_params)
