"""Two versions on one database: what has been added since the release disturbs it in nothing.

`migrate` runs while web and workers of the version before still work, and both versions serve until
the last old process has gone. So a migration adds; what is not used any more, a later release takes
away, when no process knows it.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, migrations, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED

from tests.released import RELEASED, write_one_of_each

ADDING = (migrations.CreateModel, migrations.AddField, migrations.AlterModelOptions)
# What holds up, or could refuse, the writing of others. The migration says why it does not.
SAYS_WHY = (
    migrations.AddIndex,
    migrations.AddConstraint,
    migrations.RunSQL,
    migrations.RunPython,
)
Added = tuple[migrations.Migration, Operation]


def added() -> Iterator[Added]:
    """Every operation since the release, with its migration."""
    loader = MigrationLoader(None)
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app in RELEASED and name > RELEASED[app]:
            yield from ((migration, operation) for operation in flat(migration.operations))


def flat(operations: Any) -> Iterator[Operation]:
    """These operations, and those on the database that are inside them."""
    for operation in operations:
        if isinstance(operation, migrations.SeparateDatabaseAndState):
            yield from flat(operation.database_operations)
        else:
            yield operation


def name_of(value: Any) -> str:
    """What a failed test calls it."""
    return str(value) if isinstance(value, migrations.Migration) else value.describe()


@pytest.mark.parametrize(("migration", "operation"), list(added()), ids=name_of)
def test_a_migration_only_adds(migration: migrations.Migration, operation: Operation) -> None:
    assert isinstance(operation, ADDING + SAYS_WHY)


def test_a_column_that_is_added_has_a_default_in_the_database() -> None:
    fields = [op.field for _, op in added() if isinstance(op, migrations.AddField)]

    assert fields
    for field in fields:
        assert field.null or field.db_default is not NOT_PROVIDED, field


def test_a_migration_that_could_hold_others_up_says_why_it_does_not() -> None:
    careful = {migration for migration, operation in added() if isinstance(operation, SAYS_WHY)}

    assert careful
    for migration in careful:
        words = inspect.getdoc(inspect.getmodule(type(migration))) or ""
        assert "two versions" in words.casefold(), f"{migration}: nothing about two versions"


@pytest.fixture
def nothing_kept(db: None) -> Iterator[None]:
    """What the test writes is checked by the database, and taken back."""
    with transaction.atomic():
        yield
        connection.check_constraints()
        transaction.set_rollback(True)


def test_what_the_released_version_writes_is_taken_and_read(nothing_kept: None) -> None:
    rows = write_one_of_each()

    names = {row._meta.object_name for row in rows}
    assert names >= {"Tenant", "Membership", "Conversation", "Message", "Generation", "UsageEntry"}
    for row in rows:
        assert apps.get_model(row._meta.label)._base_manager.get(pk=row.pk)
