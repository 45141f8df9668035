"""What the application's role may do with each table: given after every migration, by the owner.

A model says so with `database_rights = "SELECT, INSERT"` where it is less than everything. Nobody
gets TRUNCATE, REFERENCES or TRIGGER, and what is not in the list is taken away. Django's log of the
admin is closed: it would hold names of the tenants' rows, and the audit log takes its place.
"""

from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.migrations.recorder import MigrationRecorder
from psycopg import sql
from psycopg.rows import args_row

from portal.databases import Connection

EVERYTHING = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
SEQUENCE = frozenset({"SELECT", "USAGE"})

# The tables and sequences that the current role owns, each with what was given of it to the
# application's role or to everybody, also for single columns.
_GIVEN = """
SELECT relation.relname, relation.relkind = 'S',
    array_remove(array_agg(DISTINCT CASE WHEN given.grantee = 0 THEN 'PUBLIC ' ELSE '' END
        || given.privilege_type || given.suffix), NULL)
FROM pg_class AS relation
LEFT JOIN LATERAL (
    SELECT acl.grantee, acl.privilege_type, '' AS suffix FROM aclexplode(relation.relacl) AS acl
    UNION ALL
    SELECT acl.grantee, acl.privilege_type, '(' || attname || ')'
    FROM pg_attribute, aclexplode(attacl) AS acl WHERE attrelid = relation.oid
) AS given ON given.grantee IN (0, %s::regrole)
WHERE relation.relnamespace = 'public'::regnamespace
    AND relation.relkind IN ('r', 'p', 'v', 'm', 'S')
    AND pg_get_userbyid(relation.relowner) = current_user
GROUP BY relation.oid, relation.relname, relation.relkind ORDER BY relation.relname
"""


class _Given(NamedTuple):
    """One row of that."""

    name: str
    is_sequence: bool
    given: list[str]


def rights() -> dict[str, frozenset[str]]:
    """What the application's role may do, by table."""
    models = [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    tables = {model._meta.db_table: _rights_of(model) for model in models}
    tables[LogEntry._meta.db_table] = frozenset()
    tables[settings.CACHES["default"]["LOCATION"]] = EVERYTHING
    tables[MigrationRecorder.Migration._meta.db_table] = frozenset({"SELECT"})
    return tables


def _rights_of(model: type) -> frozenset[str]:
    listed = getattr(model, "database_rights", None)
    if listed is None:
        return EVERYTHING
    return frozenset(word.strip() for word in listed.split(","))


def grant_rights(connection: Connection, *, application: str) -> list[str]:
    """Let the application's role do what `rights` says, and no more; returns what was changed.

    `connection` is the owner's. One transaction: at no time has a running process too few rights.
    """
    wanted, role = rights(), sql.Identifier(application)
    changed = []
    with connection.transaction(), connection.cursor(row_factory=args_row(_Given)) as cursor:
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(role))
        rows = cursor.execute(_GIVEN, [role.as_string(connection)]).fetchall()
        for name, is_sequence, given in rows:
            right = SEQUENCE if is_sequence else wanted.get(name, frozenset())
            if set(given) != right:
                _give(connection, "SEQUENCE" if is_sequence else "TABLE", name, role, right)
                changed.append(name)
    return changed


def _give(
    connection: Connection, kind: str, name: str, role: sql.Identifier, right: frozenset[str]
) -> None:
    what = sql.SQL("{} {}").format(sql.SQL(kind), sql.Identifier("public", name))
    connection.execute(sql.SQL("REVOKE ALL ON {} FROM {}, PUBLIC").format(what, role))
    if right:
        words = sql.SQL(", ").join(map(sql.SQL, sorted(right)))
        connection.execute(sql.SQL("GRANT {} ON {} TO {}").format(words, what, role))
