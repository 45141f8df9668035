"""`manage.py bootstrap`, as a new deployment runs it, on the tests' PostgreSQL."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg import sql
from psycopg.rows import TupleRow

from portal.embedded.ports import free_port
from tests import servers
from tests.cloud.identity import POSTGRES, Identity, Token
from tests.commands import manage
from tests.stack import wait_until

ADMIN = servers.postgres.superuser_url
HOST = ADMIN.rpartition("@")[2].partition("/")[0]
OBJECT_ID = "6f1ed1a2-6c8c-4f0c-9c39-1f5b3f4a0c11"
# Azure's own function, as far as `bootstrap` needs it: a role for an identity, which is not the
# administrator's to change. A password stands for its tokens.
# https://learn.microsoft.com/azure/postgresql/flexible-server/security-manage-entra-users
PRINCIPALS = """
CREATE FUNCTION pgaadauth_create_principal_with_oid(
    name text, object_id text, object_type text, is_admin boolean, is_mfa boolean
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', name, 'of-the-app');
    EXECUTE format('COMMENT ON ROLE %I IS %L', name, object_type || ' ' || object_id);
    RETURN 'Created role for ' || name;
END $$
"""
PLAN = {
    "application_object_id": OBJECT_ID,
    "deployments": [
        {"name": "gpt-5.4-mini", "label": "GPT for everything", "contextWindow": 400_000,
         "inputPrice": "0.25", "outputPrice": "2", "sku": "GlobalStandard"},
        {"name": "gpt-5.5", "label": "", "contextWindow": 400_000},
    ],
    "first_tenant": "initech=Initech Ltd",
    "administrator": "Admin@Initech.example",
}  # fmt: skip
ENVIRONMENT = {
    "DATABASE_URL": f"postgres://id-initech-app:of-the-app@{HOST}/initech",
    "DATABASE_OWNER_URL": f"postgres://initech_owner:of-the-owner@{HOST}/initech",
    "DATABASE_ADMIN_URL": f"postgres://id-initech-release:of-the-release@{HOST}/postgres",
    "BOOTSTRAP": json.dumps(PLAN),
    "IMAGE_TAG": "1.4.0",
}
RESET = "http://127.0.0.1:8000/accounts/password/reset/"
COMMAND = [sys.executable, "manage.py", "bootstrap"]


@pytest.fixture
def server() -> Iterator[None]:
    """A server as Azure gives it: an administrator who is no superuser, and Azure's function."""
    with servers.superuser_connection() as superuser:
        superuser.execute(
            "CREATE ROLE \"id-initech-release\" LOGIN CREATEROLE CREATEDB PASSWORD 'of-the-release'"
        )
    with psycopg.connect(ADMIN, autocommit=True) as everywhere:
        everywhere.execute(PRINCIPALS)
    yield
    with psycopg.connect(ADMIN, autocommit=True) as everywhere:
        everywhere.execute("DROP DATABASE IF EXISTS initech WITH (FORCE)")
        everywhere.execute("DROP FUNCTION pgaadauth_create_principal_with_oid")
        everywhere.execute(
            'DROP ROLE IF EXISTS "id-initech-app", initech_owner, "id-initech-release"'
        )


def bootstrap(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    environment = {**os.environ, **ENVIRONMENT, **changes}
    return manage("bootstrap", *arguments, env=environment, timeout=120)


def rows(query: str) -> list[TupleRow]:
    """What a superuser reads in the new database."""
    with psycopg.connect(ADMIN, dbname="initech") as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_new_deployment_gets_everything_and_a_second_run_changes_nothing(server: None) -> None:
    first = bootstrap()
    again = bootstrap()

    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout.splitlines() == [
        "Database initech: owner initech_owner, id-initech-app for the application",
        "Tables: up to date",
        "Models: 0 known, added gpt-5-4-mini, gpt-5-5",
        "First tenant: made “Initech Ltd” at /initech/, with 2 models",
        f"Administrator: made admin@initech.example, who chooses a password at {RESET}",
        "Done. Release 1.4.0.",
    ]
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.splitlines()[2:] == [
        "Models: 2 known",
        "First tenant: “initech” is there",
        "Administrator: admin@initech.example is there",
        "Done. Release 1.4.0.",
    ]
    assert rows("SELECT model, label, context_window FROM chat_deployment ORDER BY model") == [
        ("gpt-5.4-mini", "GPT for everything", 400_000),
        ("gpt-5.5", "gpt-5.5", 400_000),
    ]
    assert rows("SELECT email, is_superuser, password LIKE '!%' FROM tenants_user") == [
        ("admin@initech.example", True, True)
    ]
    assert rows("SELECT role FROM tenants_membership") == [("owner",)]
    assert rows(
        "SELECT count(*) FILTER (WHERE is_default), count(*) FROM chat_deploymentgrant"
    ) == [(1, 2)]
    assert rows(
        "SELECT shobj_description(oid, 'pg_authid'), rolsuper OR rolbypassrls OR rolcreaterole"
        " FROM pg_roles WHERE rolname = 'id-initech-app'"
    ) == [(f"service {OBJECT_ID}", False)]
    assert rows("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == [
        ("initech_owner",)
    ]


def test_what_an_administrator_changed_since_stays(server: None) -> None:
    assert bootstrap().returncode == 0
    with psycopg.connect(ADMIN, dbname="initech", autocommit=True) as connection:
        connection.execute("UPDATE chat_deployment SET label = 'Ours', is_active = false")

    again = bootstrap("--tenant", "initech=Another name")

    assert again.returncode == 0
    assert rows("SELECT DISTINCT label, is_active FROM chat_deployment") == [("Ours", False)]
    with psycopg.connect(ADMIN, dbname="initech") as connection:
        connection.execute("SELECT set_config('atrium.platform', 'on', true)")
        assert connection.execute("SELECT name FROM tenants_tenant").fetchall() == [
            ("Initech Ltd",)
        ]


def test_with_tokens_nobody_but_the_releases_own_identity_signs_in(server: None) -> None:
    def learn(token: Token) -> None:
        with servers.superuser_connection() as superuser:
            superuser.execute(
                sql.SQL('ALTER ROLE "id-initech-release" PASSWORD {} VALID UNTIL {}').format(
                    sql.Literal(token.value),
                    sql.Literal(datetime.fromtimestamp(token.expires_at, UTC).isoformat()),
                )
            )

    with Identity() as identity:
        identity.told.append(learn)
        done = bootstrap(
            **identity.environment,
            DATABASE_AUTH="entra",
            DATABASE_URL=f"postgres://id-initech-app@{HOST}/initech",
            DATABASE_OWNER_URL=f"postgres://initech_owner@{HOST}/initech",
            DATABASE_ADMIN_URL=f"postgres://id-initech-release@{HOST}/postgres",
        )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Done. Release 1.4.0.\n")
    assert {token.resource for token in identity.issued} == {POSTGRES}
    assert rows("SELECT email FROM tenants_user") == [("admin@initech.example",)]


def test_a_served_release_says_when_it_is_done_and_leaves_when_told(server: None) -> None:
    port = free_port(29_000 + os.getpid() % 500)
    address = f"http://127.0.0.1:{port}/healthz"
    served = subprocess.Popen(
        [*COMMAND, "--serve"], cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL,
        env={**os.environ, **ENVIRONMENT, "PROBE_PORT": str(port)},
    )  # fmt: skip

    def answer() -> tuple[int, dict[str, object]]:
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    try:
        wait_until(lambda: answer()[0] > 0, seconds=60, what="the probe")
        assert answer()[1]["release"] == "1.4.0"
        wait_until(lambda: answer() == (200, {"release": "1.4.0", "done": True}), seconds=120)
        served.terminate()
        assert served.wait(timeout=30) == 0
    finally:
        served.kill()
        served.wait()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"DATABASE_ADMIN_URL": ""}, "Set DATABASE_ADMIN_URL and DATABASE_OWNER_URL"),
        ({"DATABASE_ADMIN_URL": ADMIN.replace("//postgres:", "//postgres:x")}, "password authent"),
        ({"BOOTSTRAP": "{"}, "BOOTSTRAP is not valid JSON"),
        ({"BOOTSTRAP": "[]"}, "BOOTSTRAP must be a JSON object"),
        ({"BOOTSTRAP": '{"first_tenant": "acme"}'}, "is written slug=Name, not “acme”"),
        ({"BOOTSTRAP": '{"deployments": [1]}'}, "must be a list of objects"),
        ({"BOOTSTRAP": "[" * 100_000}, "BOOTSTRAP is not valid JSON"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(changes: dict[str, str], expected: str) -> None:
    done = bootstrap(**changes)

    assert done.returncode == 1
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_administrator_who_is_there_owns_a_first_tenant_that_comes_later(server: None) -> None:
    without = bootstrap(BOOTSTRAP=json.dumps({**PLAN, "first_tenant": ""}))
    assert (without.returncode, without.stderr) == (0, "")

    later = bootstrap()

    assert later.stdout.splitlines()[3:5] == [
        "First tenant: made “Initech Ltd” at /initech/, with 2 models",
        "Administrator: admin@initech.example is there, and owns /initech/",
    ]
    assert rows("SELECT role FROM tenants_membership") == [("owner",)]


def test_a_connection_that_is_lost_while_it_waits_is_one_line(server: None) -> None:
    waiting = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 6282043"
    with psycopg.connect(ADMIN, dbname="postgres", autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(6282043)")
        late = subprocess.Popen(
            COMMAND, cwd=settings.BASE_DIR, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **ENVIRONMENT},
        )  # fmt: skip
        wait_until(
            lambda: other.execute(f"{waiting} AND NOT granted").fetchone() is not None, seconds=60
        )
        other.execute(
            f"SELECT pg_terminate_backend(pid) FROM ({waiting} AND NOT granted) AS late (pid)"
        )
        _, said = late.communicate(timeout=60)

    assert late.returncode == 1
    assert said.startswith("CommandError: DATABASE_ADMIN_URL: ")
    assert len(said.splitlines()) == 1


def test_a_dry_run_refuses_two_models_with_one_name() -> None:
    models = [{"name": "gpt-5.4"}, {"name": "gpt-5-4"}]

    done = bootstrap("--dry-run", BOOTSTRAP=json.dumps({"deployments": models}))

    assert done.returncode == 1
    assert "Two models would be called gpt-5-4 in the catalogue" in done.stderr


def test_a_dry_run_tells_the_plan_and_touches_nothing(tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({"deployments": {"value": [{"name": "GPT 5.5"}]}}))

    done = bootstrap("--dry-run", "--models", str(outputs), "--tenant", "acme=Acme")

    assert done.returncode == 0
    assert "Models: gpt-5-5" in done.stdout
    assert "First tenant: acme=Acme" in done.stdout
    assert "Administrator: admin@initech.example" in done.stdout


def test_a_bad_first_person_or_tenant_is_refused(server: None) -> None:
    bad_tenant = bootstrap("--tenant", "admin=Admin")
    bad_person = bootstrap("--tenant", "good=Good", "--administrator", "nobody")

    assert bad_tenant.returncode == bad_person.returncode == 1
    assert "First tenant: " in bad_tenant.stderr
    assert "Administrator: Enter a valid email address." in bad_person.stderr
    assert rows("SELECT count(*) FROM tenants_user") == [(0,)]
