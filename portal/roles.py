"""The two roles of the database, made by an administrator of the server.

The owner's role owns the database and its tables, and runs migrations. The application's role owns
nothing and has only the rights that it was given (portal/table_rights.py), so that row-level
security binds it. Nothing here needs Django's settings, nor a superuser: an administrator who may
create roles and databases will do.
"""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from portal.databases import Connection

OLDEST_SERVER = 150_000
# Attributes that neither role may have. One is taken away only where it is there, because not every
# administrator may name each of them.
_FORBIDDEN = {
    "rolsuper": "NOSUPERUSER",
    "rolbypassrls": "NOBYPASSRLS",
    "rolcreaterole": "NOCREATEROLE",
    "rolcreatedb": "NOCREATEDB",
    "rolreplication": "NOREPLICATION",
}


class RolesError(Exception):
    """The roles cannot be made. The text is one line, without any password."""


@dataclass(frozen=True)
class _Names:
    """Whom and what a set of statements is about, as identifiers."""

    database: sql.Identifier
    owner: sql.Identifier
    application: sql.Identifier


def create_roles(
    connection: Connection,
    *,
    database: str,
    owner: str,
    owner_password: str | None,
    application: str,
    application_password: str | None,
) -> None:
    """Make both roles and the database, or repair them; safe to repeat, and data stays.

    `connection` is an administrator's, in autocommit mode, to any database of the server. Without a
    password a role keeps the one it has. What the application's role owned goes to the owner's.
    Raises RolesError for what is wrong with the request, psycopg.Error where the server refuses.
    """
    _refuse(connection, owner, application)
    names = _Names(sql.Identifier(database), sql.Identifier(owner), sql.Identifier(application))
    _ensure_role(connection, owner, owner_password)
    _ensure_role(connection, application, application_password)
    if _has(connection, "pg_auth_members WHERE roleid = %s::regrole AND member = %s::regrole",
            _quoted(connection, owner), _quoted(connection, application)):  # fmt: skip
        _run(connection, "REVOKE {owner} FROM {application}", names)
    _join(connection, owner)
    _ensure_database(connection, names, database, owner, application)
    with _connect_to(connection, database) as inside:
        _hand_over(inside, names, application)
        _close_to_others(inside, names)


def _refuse(connection: Connection, owner: str, application: str) -> None:
    """Raise RolesError for an old server, and where roles that must differ are the same."""
    if connection.info.server_version < OLDEST_SERVER:
        raise RolesError("PostgreSQL 15 or newer is needed")
    if owner == application:
        raise RolesError(f"the owner and the application have the same role, {owner}")
    if _has(connection, "pg_roles WHERE rolname = current_user AND rolname IN (%s, %s)",
            owner, application):  # fmt: skip
        raise RolesError("the administrator must be neither of the two roles")


def _ensure_role(connection: Connection, name: str, password: str | None) -> None:
    """A role that may log in, and nothing beyond that."""
    role = sql.Identifier(name)
    if not _has(connection, "pg_roles WHERE rolname = %s", name):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(role))
    row = connection.execute(
        sql.SQL("SELECT rolcanlogin, {} FROM pg_roles WHERE rolname = %s").format(
            sql.SQL(", ").join(map(sql.Identifier, _FORBIDDEN))
        ),
        [name],
    ).fetchone()
    can_login, *has = row or ()
    changes = [word for word, is_there in zip(_FORBIDDEN.values(), has, strict=True) if is_there]
    if not can_login:
        changes.append("LOGIN")
    for change in changes:
        connection.execute(sql.SQL("ALTER ROLE {} {}").format(role, sql.SQL(change)))
    if password is not None:
        # The server gets, and may log, a hash.
        secret = connection.pgconn.encrypt_password(password.encode(), name.encode()).decode()
        connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(secret)))


def _join(connection: Connection, role: str) -> None:
    """Let an administrator who is no superuser act for this role, which is theirs to give."""
    if not _has(connection, "pg_roles WHERE rolname = current_user AND rolsuper") and not _has(
        connection, "pg_roles WHERE rolname = %s AND pg_has_role(oid, 'USAGE')", role
    ):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


def _ensure_database(
    connection: Connection, names: _Names, database: str, owner: str, application: str
) -> None:
    """A database that is the owner's."""
    row = connection.execute(
        "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", [database]
    ).fetchone()
    if row is None:
        _run(connection, "CREATE DATABASE {database} OWNER {owner}", names)
    elif row[0] != owner:
        if row[0] == application:
            _join(connection, application)
        _run(connection, "ALTER DATABASE {database} OWNER TO {owner}", names)


def _hand_over(connection: Connection, names: _Names, application: str) -> None:
    """Whatever the application's role owns in this database becomes the owner's."""
    owns_something = _has(
        connection,
        "pg_shdepend, pg_database WHERE datname = current_database() AND dbid = pg_database.oid"
        " AND deptype = 'o' AND refclassid = 'pg_authid'::regclass AND refobjid = %s::regrole",
        _quoted(connection, application),
    )
    if owns_something:
        _join(connection, application)
        _run(connection, "REASSIGN OWNED BY {application} TO {owner}", names)


def _close_to_others(connection: Connection, names: _Names) -> None:
    """Only the two roles connect, and only the owner's creates anything.

    All at once: a portal that runs meanwhile must not see the moment in between.
    """
    with connection.transaction():
        for statement in (
            "REVOKE ALL ON DATABASE {database} FROM PUBLIC, {application}",
            "GRANT CONNECT ON DATABASE {database} TO {owner}, {application}",
            "REVOKE ALL ON SCHEMA public FROM PUBLIC, {application}",
            "GRANT USAGE, CREATE ON SCHEMA public TO {owner}",
            "GRANT USAGE ON SCHEMA public TO {application}",
        ):
            _run(connection, statement, names)


def _connect_to(connection: Connection, database: str) -> Connection:
    """The same person's connection to this database."""
    info = connection.info
    return psycopg.connect(
        info.dsn, dbname=database, password=info.password or None, autocommit=True
    )


def _has(connection: Connection, rows: str, *values: str) -> bool:
    """Whether there is such a row; `rows` is what follows FROM."""
    query = f"SELECT 1 FROM {rows} LIMIT 1"  # noqa: S608  # constants of this file
    return connection.execute(query.encode(), values).fetchone() is not None


def _quoted(connection: Connection, name: str) -> str:
    return sql.Identifier(name).as_string(connection)


def _run(connection: Connection, statement: str, names: _Names) -> None:
    connection.execute(sql.SQL(statement).format(**vars(names)))
