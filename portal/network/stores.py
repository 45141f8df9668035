"""The smallest real call to PostgreSQL and to Redis."""

import socket
from typing import Any

import psycopg

from portal import databases
from portal.checks import find_bypass
from portal.network import access
from portal.network.findings import Deadline, Problem
from portal.network.plan import Address, Target

_LONGEST_LINE = 1024
_STATEMENT_SECONDS = 5
# Words of PostgreSQL and libpq, and the problem that they stand for; the first that fits.
_REFUSALS = (
    ("password authentication failed", "token-refused"),
    ("token", "token-refused"),
    ("no pg_hba.conf entry", "seen-as-public"),
    ("certificate verify failed", "database-trust"),
    ("root certificate", "database-trust"),
    ("does not exist", "database-role"),
    ("permission denied", "database-role"),
    ("is not permitted to log in", "database-role"),
    ("timeout", "too-slow"),
)


def ask_postgres(target: Target, address: Address, secret: str, deadline: Deadline) -> str:
    """Sign in, run a statement, and see that row-level security binds the portal's role."""
    database = access.database()
    try:
        with _connect(target, address, database, secret, deadline) as connection:
            connection.execute("SELECT 1")
            ways_past = find_bypass(connection)
    except psycopg.Error as error:
        said = databases.why(error)
        code = next((code for words, code in _REFUSALS if words in str(error)), "cut-off")
        raise Problem(code, f"as {database['USER']}: {said}") from None
    if ways_past:
        raise Problem("row-security", "; ".join(ways_past))
    if database.get("OPTIONS", {}).get("sslmode") != "verify-full":
        raise Problem("database-unverified", "DATABASE_URL has no sslmode=verify-full")
    return f"SELECT 1 as {database['USER']}; row-level security binds the portal's role"


def ask_redis(channel: socket.socket, user: str, secret: str) -> str:
    """Sign in and PING. Raises Problem."""
    try:
        with channel.makefile("rwb") as stream:
            if secret:
                names = [user] if user else []
                _expect(_ask(stream, "AUTH", *names, secret), "OK")
            _expect(_ask(stream, "PING"), "PONG")
    except TimeoutError:
        raise Problem("too-slow", "no answer to PING") from None
    except OSError as error:
        raise Problem("cut-off", f"PING: {error.strerror or error}") from None
    return f"PING as {user or 'the default user'}: PONG"


def _connect(
    target: Target, address: Address, database: dict[str, Any], secret: str, deadline: Deadline
) -> databases.Connection:
    """To the address that was checked, under the name that the certificate must carry."""
    options = {**database.get("OPTIONS", {})}
    statement = f"-c statement_timeout={_STATEMENT_SECONDS}s"
    options["options"] = f"{options.get('options', '')} {statement}".strip()
    return psycopg.connect(
        host=target.host,
        hostaddr=str(address),
        port=target.port,
        dbname=database["NAME"],
        user=database["USER"],
        password=secret or None,
        connect_timeout=max(2, int(deadline.wait())),
        autocommit=True,
        **options,
    )


def _ask(stream: Any, *command: str) -> str:
    parts = [part.encode() for part in command]
    words = b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)
    stream.write(b"*%d\r\n" % len(parts) + words)
    stream.flush()
    answer: bytes = stream.readline(_LONGEST_LINE)
    if not answer:
        raise ConnectionResetError("closed without an answer")
    return answer.decode(errors="replace").strip()


def _expect(answer: str, wanted: str) -> None:
    if answer == f"+{wanted}":
        return
    said = answer.removeprefix("-")[:160]
    if answer.startswith(("-WRONGPASS", "-NOAUTH", "-ERR AUTH", "-ERR invalid")):
        raise Problem("token-refused", said)
    if answer.startswith("-NOPERM"):
        raise Problem("role-missing", said)
    raise Problem("service-fails" if answer.startswith("-") else "unexpected-answer", said)
