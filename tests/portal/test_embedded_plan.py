"""What `manage.py up` decides before settings are loaded."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded import plan as planning
from portal.embedded.errors import EmbeddedError
from portal.embedded.plan import CurrentPlan, Plan, prepare
from portal.embedded.ports import LOCAL, free_port


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    if CurrentPlan.plan is not None:
        CurrentPlan.plan.lock.release()
        CurrentPlan.plan = None


def decide(base: Path, *arguments: str, **environ: str) -> tuple[Plan, dict[str, str]]:
    prepare(base, list(arguments), environ)
    assert CurrentPlan.plan is not None
    text = (base / "var" / "local.env").read_text()
    pairs = [line.partition("=") for line in text.splitlines() if not line.startswith("#")]
    return CurrentPlan.plan, {name: value for name, _, value in pairs}


def test_everything_is_embedded_where_nothing_is_given(tmp_path: Path) -> None:
    plan, values = decide(tmp_path)

    assert plan.postgres is not None
    assert plan.valkey is not None
    assert plan.model is not None
    assert values["DATABASE_URL"] == plan.postgres.url
    assert values["DATABASE_OWNER_URL"] == plan.postgres.owner_url
    assert values["REDIS_URL"] == plan.valkey.url
    assert values["OPENAI_BASE_URL"] == plan.model.url
    assert values["PUBLIC_URL"] == f"http://127.0.0.1:{plan.port}"
    assert (tmp_path / "var" / "local.env").stat().st_mode & 0o777 == 0o600


def test_the_secret_key_stays_the_same(tmp_path: Path) -> None:
    plan, first = decide(tmp_path)
    plan.lock.release()

    _plan, second = decide(tmp_path)

    assert len(first["SECRET_KEY"]) >= 50
    assert second["SECRET_KEY"] == first["SECRET_KEY"]


def test_what_the_person_gives_replaces_the_part_and_is_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "check_outside", lambda _environ: None)
    (tmp_path / ".env").write_text("REDIS_URL=redis://cache:6379/0\nSECRET_KEY='from the file'\n")

    plan, values = decide(
        tmp_path,
        DATABASE_URL="postgres://me@db/mine",
        AZURE_OPENAI_ENDPOINT="https://x.openai.azure.com",
    )

    assert (plan.postgres, plan.valkey, plan.model) == (None, None, None)
    assert set(values) == {"PUBLIC_URL", "ALLOWED_HOSTS"}


def test_an_empty_value_counts_as_not_given(tmp_path: Path) -> None:
    plan, values = decide(tmp_path, DATABASE_URL="", OPENAI_BASE_URL="")

    assert plan.postgres is not None
    assert values["DATABASE_URL"] == plan.postgres.url


def test_a_key_without_its_endpoint_never_reaches_the_demo_model(tmp_path: Path) -> None:
    environ = {"OPENAI_API_KEY": "the-persons-own"}

    prepare(tmp_path, [], environ)

    assert CurrentPlan.plan is not None
    assert CurrentPlan.plan.model is not None
    assert environ["OPENAI_API_KEY"] == CurrentPlan.plan.model.key


def test_a_second_start_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    plan, values = decide(tmp_path)

    with pytest.raises(EmbeddedError, match=f"already runs .* {plan.public_url} .*{os.getpid()}"):
        prepare(tmp_path, [], {})

    assert values["PUBLIC_URL"] in (tmp_path / "var" / "local.env").read_text()


@pytest.mark.parametrize(("flags", "source"), [(["--port"], "--port"), ([], "PORT")])
def test_a_port_that_was_asked_for_and_is_taken_is_named(
    tmp_path: Path, flags: list[str], source: str
) -> None:
    with socket.create_server((LOCAL, 0)) as server:
        port = str(server.getsockname()[1])
        arguments, environ = ([*flags, port], {}) if flags else ([], {"PORT": port})

        with pytest.raises(EmbeddedError) as refused:
            prepare(tmp_path, arguments, environ)

    assert str(refused.value).startswith(f"Port {port} ({source}) on 127.0.0.1 is taken by ")
    assert f"(pid {os.getpid()})" in str(refused.value)


def test_a_taken_usual_port_is_replaced_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server((LOCAL, free_port(28900))) as server:
        usual = server.getsockname()[1]
        monkeypatch.setattr("portal.embedded.options.PREFERRED_PORT", usual)

        plan, _values = decide(tmp_path)

    assert plan.port > usual
    assert f"Port {usual} is taken" in capsys.readouterr().out


def test_help_needs_no_settings_and_writes_nothing(tmp_path: Path) -> None:
    environ: dict[str, str] = {}

    prepare(tmp_path, ["--help"], environ)

    names = {"SECRET_KEY", "DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"}
    assert set(environ) == names
    assert list(tmp_path.iterdir()) == []


def test_all_addresses_open_all_host_names(tmp_path: Path) -> None:
    plan, values = decide(tmp_path, "--host", "0.0.0.0")

    assert values["ALLOWED_HOSTS"] == "*"
    assert plan.local_url == f"http://127.0.0.1:{plan.port}"


@pytest.mark.parametrize("flag", ["abc", "0", "65536", "-1", "8000x", "\uff18\uff10"])
def test_a_wrong_port_number_is_one_line(
    tmp_path: Path, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        prepare(tmp_path, [f"--port={flag}"], {})

    assert left.value.code == 2
    assert "is no port number" in capsys.readouterr().err
