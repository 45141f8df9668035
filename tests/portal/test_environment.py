"""Where secrets come from, and what sign-in with tokens asks of the other settings."""

import os
import ssl
import subprocess
import sys

import pytest

from portal.settings import BASE_DIR

SHOW = """
import sys
from django.conf import settings
settings.SECRET_KEY
{then}
"""
USER = "0c6e1f1e-6f0d-4b57-9d2a-0d9b2a3c4d5e"


def run(then: str, **changes: str) -> tuple[str, str]:
    """What a process with these settings prints, and the last line of its errors."""
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "portal.settings", **changes}
    done = subprocess.run(
        [sys.executable, "-c", SHOW.format(then=then)],
        cwd=BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.strip(), (done.stderr.splitlines() or [""])[-1]


def test_who_uses_no_tokens_loads_nothing_of_azure() -> None:
    then = "import django; django.setup(); import portal.asgi, portal.celery\n"
    then += "print([name for name in sys.modules if name.partition('.')[0] in ('azure', 'msal')])"

    assert run(then) == ("[]", "")


def test_the_environment_wins_over_the_vault() -> None:
    shown, errors = run(
        "print(settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS)",
        SECRET_KEY="from-the-environment", KEY_VAULT_URL="https://nowhere.vault.azure.net",
    )  # fmt: skip

    assert (shown, errors) == ("from-the-environment []", "")


def test_with_a_vault_the_error_names_both_places() -> None:
    _, error = run("", SECRET_KEY="", KEY_VAULT_URL="http://127.0.0.1:9")

    assert error.endswith("KEY_VAULT_URL must be an https address")


def test_broker_and_streams_check_certificates() -> None:
    shown, _ = run("print(settings.CELERY_BROKER_USE_SSL)", REDIS_URL="rediss://127.0.0.1:6380/0")

    assert shown == str({"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True})


def test_without_tokens_the_broker_is_kombus_own() -> None:
    shown, _ = run("print(hasattr(settings, 'CELERY_BROKER_TRANSPORT'))")

    assert shown == "False"


@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        (f"rediss://{USER}@redis.example:10000/0", True),
        ("rediss://redis.example:10000/0", False),
        (f"rediss://{USER}:hunter2@redis.example:10000/0", False),
    ],
    ids=["user", "nobody", "password"],
)
def test_with_tokens_redis_has_a_user_and_no_password(address: str, is_taken: bool) -> None:
    _, error = run("", REDIS_URL=address, REDIS_AUTH="entra")

    assert ("REDIS_URL must name the identity's object id" not in error) == is_taken
    assert "hunter2" not in error


def test_with_tokens_the_address_of_the_database_has_no_password() -> None:
    _, error = run(
        "", DATABASE_URL="postgres://app:hunter2@db.example/atrium", DATABASE_AUTH="entra"
    )

    assert "DATABASE_URL must hold no password" in error
    assert "hunter2" not in error
