"""What would let the application's role pass row-level security, as rules and as a system check.

`manage.py check --database default` asks, and so do `migrate` and every process that starts
(portal/start.py).
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from portal.databases import Connection

HINT = "Give DATABASE_URL a role that `manage.py create_roles` made; see docs/operations.md."
# By name: while `migrate` runs, the connection is the owner's.
_ROLE = """
WITH role AS (SELECT * FROM pg_roles WHERE rolname = coalesce(nullif(%s, ''), current_user))
"""


class _Rule(NamedTuple):
    """Something that must not be found; each row of the query is one `found`."""

    id: str
    text: str
    query: str


_RULES = (
    _Rule(
        "portal.E001",
        "the role {role} {found}",
        """
        SELECT word FROM role, LATERAL (VALUES
            (rolsuper, 'is a superuser'), (rolbypassrls AND NOT rolsuper, 'has BYPASSRLS'),
            (rolcreaterole AND NOT rolsuper, 'may create roles')) AS attribute (is_there, word)
        WHERE is_there
        """,
    ),
    _Rule(
        "portal.E002",
        "the role {role} is a member of {found}, which is a superuser or has BYPASSRLS",
        """
        SELECT other.rolname FROM role, pg_roles AS other
        WHERE NOT role.rolsuper AND other.oid <> role.oid
            AND (other.rolsuper OR other.rolbypassrls)
            AND pg_has_role(role.oid, other.oid, 'MEMBER')
        ORDER BY other.rolname
        """,
    ),
    _Rule(
        "portal.E003",
        "the role {role} owns {found}",
        """
        SELECT CASE WHEN count(*) > 1 THEN count(*) || ' objects, among them ' ELSE '' END
            || min(pg_describe_object(classid, objid, 0))
            || CASE WHEN owner.rolname <> min(role.rolname)
                THEN ', as a member of ' || owner.rolname ELSE '' END
        FROM role, pg_roles AS owner, pg_shdepend, pg_database
        WHERE NOT role.rolsuper AND datname = current_database()
            AND pg_has_role(role.oid, owner.oid, 'MEMBER')
            AND deptype = 'o' AND refclassid = 'pg_authid'::regclass AND refobjid = owner.oid
            AND classid <> 'pg_largeobject'::regclass  -- which anybody may make, and nothing reads
            AND (dbid = pg_database.oid
                OR (classid = 'pg_database'::regclass AND objid = pg_database.oid))
        GROUP BY owner.rolname ORDER BY owner.rolname
        """,
    ),
    _Rule(
        "portal.E004",
        "the settings of the role {role} or of its database give it {found} from the start",
        """
        SELECT setting FROM role, pg_db_role_setting, unnest(setconfig) AS setting
        WHERE setrole IN (0, role.oid) AND starts_with(setting, 'atrium.')
            AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        """,
    ),
    _Rule(
        "portal.E005",
        "the table {found} has policies, but row-level security is not both enabled and forced",
        """
        SELECT relname FROM pg_class
        WHERE NOT (relrowsecurity AND relforcerowsecurity)
            AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid)
        ORDER BY relname
        """,
    ),
    _Rule(
        "portal.E006",
        "the role {role} may make {found}, which could stand in for what the tables' owner runs",
        """
        SELECT word FROM role, LATERAL (VALUES
            (has_database_privilege(role.oid, current_database(), 'TEMP'), 'temporary tables'),
            (has_database_privilege(role.oid, current_database(), 'CREATE'), 'schemas'),
            (has_schema_privilege(role.oid, 'public', 'CREATE'), 'tables in the schema public')
        ) AS may (is_so, word)
        WHERE is_so AND NOT rolsuper
            AND NOT EXISTS (SELECT FROM pg_database WHERE datname = current_database()
                AND pg_has_role(role.oid, datdba, 'MEMBER'))
        """,
    ),
)


def find_bypass(connection: Connection | BaseDatabaseWrapper) -> list[str]:
    """Every way past row-level security for the role of DATABASE_URL, each in a line; none is well.

    `connection` is anybody's, to the portal's database: Django's, or psycopg's own.
    """
    return [text for _id, text in _find(connection)]


def check_database_role(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **_: Any,
) -> list[checks.CheckMessage]:
    """The system check: an error for each way past, a warning where the database is away."""
    del app_configs
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    try:
        found = [*_find(connections[DEFAULT_DB_ALIAS])]
    except DatabaseError:
        text = "The database does not answer, so nobody knows whether it keeps the tenants apart."
        return [checks.Warning(text, id="portal.W001")]
    return [checks.Error(f"Row-level security: {text}.", hint=HINT, id=id_) for id_, text in found]


def _find(connection: Connection | BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    role = settings.DATABASES[DEFAULT_DB_ALIAS]["USER"]
    with connection.cursor() as cursor:
        for rule in _RULES:
            cursor.execute(_ROLE + rule.query, [role])
            for (found,) in cursor.fetchall():
                yield rule.id, rule.text.format(role=role, found=found)
