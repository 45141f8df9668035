"""Append-only tables: rows are written once, and neither code nor the database lets them change."""

from typing import NoReturn, TypeVar

from django.db import models
from django.db.migrations.operations import RunSQL

_RowT = TypeVar("_RowT", bound=models.Model)


class AppendOnlyError(Exception):
    """Somebody tried to change or delete a row of an append-only table."""


class AppendOnlyQuerySet(models.QuerySet[_RowT]):
    """A query set that reads and creates."""

    def update(self, **kwargs: object) -> NoReturn:  # noqa: ARG002
        """Always raises AppendOnlyError."""
        raise AppendOnlyError(f"{self.model._meta.label} is append-only")

    def delete(self) -> NoReturn:
        """Always raises AppendOnlyError."""
        raise AppendOnlyError(f"{self.model._meta.label} is append-only")


def append_only(table: str) -> RunSQL:
    """A migration operation: the database refuses UPDATE and DELETE of the table's rows."""
    function = f"{table}_is_append_only"
    return RunSQL(
        sql=f"""
        CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION '{table} is append-only' USING ERRCODE = 'restrict_violation';
        END $$;
        CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {function}();
        """,
        reverse_sql=f"DROP TRIGGER {table}_append_only ON {table}; DROP FUNCTION {function}();",
    )
