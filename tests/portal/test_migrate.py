"""`manage.py migrate` runs as the owner, and leaves the connection as it was."""

import io
import os
from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from portal.owner import as_owner
from tests import servers
from tests.commands import manage

pytestmark = pytest.mark.django_db(transaction=True)


def who() -> str:
    """The role of Django's connection now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        return str(cursor.fetchone()[0])


def run(*arguments: str, **changes: str) -> tuple[int, str]:
    """Exit status and error output of a command with these settings."""
    done = manage(*arguments, env={**os.environ, **changes})
    return done.returncode, done.stderr


def test_the_owner_owns_every_table() -> None:
    with servers.owner_connection() as owner:
        rows = owner.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace"
        ).fetchall()

    assert rows == [("atrium_owner",)]


def test_rights_that_were_lost_come_back() -> None:
    with servers.owner_connection() as owner:
        owner.execute("REVOKE ALL ON django_session FROM atrium")

    call_command("migrate", stdout=io.StringIO())

    assert who() == "atrium"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")


def test_the_connection_is_the_applications_again_after_a_failure() -> None:
    with suppress(CommandError), as_owner(connection):
        assert who() == "atrium_owner"
        raise CommandError("something went wrong")

    assert who() == "atrium"


@override_settings(DATABASE_OWNER=None)
def test_without_an_owner_it_says_what_to_set() -> None:
    with pytest.raises(CommandError, match="Set DATABASE_OWNER_URL"):
        call_command("migrate")

    assert who() == "atrium"


@override_settings(DATABASE_OWNER=None)
@pytest.mark.parametrize(
    "command",
    [
        ["migrate", "--check"],
        ["migrate", "--plan"],
        ["showmigrations"],
        ["sqlmigrate", "tenants", "0001"],
        ["makemigrations", "--check", "--dry-run"],
    ],
    ids=" ".join,
)
def test_looking_needs_no_owner(command: list[str]) -> None:
    call_command(*command, stdout=io.StringIO())


def test_a_wrong_password_of_the_owner_is_one_line() -> None:
    wrong = servers.postgres.owner_url.replace("atrium_owner:", "atrium_owner:not-")

    status, errors = run("migrate", DATABASE_OWNER_URL=wrong)

    assert status == 1
    assert errors.startswith("CommandError: DATABASE_OWNER_URL: password authentication failed")
    assert len(errors.splitlines()) == 1


def test_without_the_applications_role_it_names_the_command_that_makes_it() -> None:
    url = servers.postgres.url.replace("atrium:", "nobody_here:")

    status, errors = run("migrate", DATABASE_URL=url)

    assert status == 1
    assert "There is no role nobody_here" in errors
    assert "create_roles" in errors


def test_it_is_refused_for_a_role_that_could_bypass_row_level_security() -> None:
    url = servers.postgres.superuser_url.removesuffix("postgres") + "atrium"

    status, errors = run("migrate", DATABASE_URL=url)

    assert status == 1
    assert "portal.E001" in errors
