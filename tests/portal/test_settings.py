"""Wrong settings stop the start with one line that names them."""

import os

import pytest

from tests.commands import manage


def check(**changes: str) -> tuple[int, str]:
    """Exit status and error output of `manage.py check` with these settings."""
    done = manage("check", env={**os.environ, **changes})
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite:///x.db"),
        ("DATABASE_URL", "nonsense"),
        ("REDIS_URL", "http://127.0.0.1"),
        ("PUBLIC_URL", "portal.example"),
        ("OPENAI_BASE_URL", "localhost:8000"),
        ("AZURE_OPENAI_ENDPOINT", "ftp://x"),
        ("DATABASE_POOL_SIZE", "many"),
        ("CHAT_PULSE_SECONDS", "often"),
        ("CHAT_PULSE_SECONDS", "0"),
        ("WEB_THREADS", "0"),
        ("SECRET_KEY", ""),
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("TIME_ZONE", "Mars/Olympus"),
        ("EMAIL_URL", "foo"),
        ("EMAIL_URL", "smtp+tls://u:hunter2/pa@h:587"),
        ("REDIS_URL", "redis://:hunter2/pa@h:6379/0"),
        ("REDIS_URL", "rediss://h/0?ssl_cert_reqs=none"),
        ("DATABASE_URL", "postgres://u:hunter2/pa@h:5432/db"),
        ("DATABASE_URL", "postgres://u@h/db?password=hunter2"),
        ("PUBLIC_URL", "http://[::1"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(name: str, value: str) -> None:
    status, errors = check(**{name: value})

    assert status == 2
    assert name in errors
    assert "hunter2" not in errors
    assert len(errors.splitlines()) == 1


def test_a_right_value_passes() -> None:
    assert check() == (0, "")


@pytest.mark.parametrize("command", ["infra", "release", "check_network", "check_stream"])
def test_what_operators_run_elsewhere_needs_no_settings(command: str) -> None:
    done = manage(command, "--help", env={"PATH": os.environ["PATH"]})

    assert (done.returncode, done.stderr) == (0, "")
