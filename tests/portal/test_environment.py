"""Where secrets come from, and what sign-in with tokens asks of the other settings."""

import os
import ssl
import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import databases, environment
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


WRONG = {
    "REDIS_URL": [
        "rediss://h:hunter2/0",
        "rediss://h:99999/0",
        "rediss://hunter2@/0",
        "redis://:hunter2/pa@h:6379/0",
        "redis://:6379/hunter2@h:6379/0",
        "redis://h:6379/hunter2",
        "redis://:1#hunter2@h:6379/0",
        "redis://[hunter2/0",
        "rediss://h/0?ssl_cert_reqs=hunter2",
        "rediss://h/0?SSL_CA_CERTS=hunter2",
        "rediss://u@h/0?password=hunter2",
        "rediss://h/0?username=hunter2",
        "hunter2://h",
    ],
    "EMAIL_URL": [
        "smtp+tls://u:hunter2/pa@h:587",
        "smtp+tls://u:25/hunter2@h:587",
        "smtp+tls://u:p@h:hunter2",
        "smtp+tls://u:hunter2@",
        "smtp+tls://[hunter2",
        "hunter2://h",
    ],
    "DATABASE_URL": [
        "postgres://u:hunter2/pa@h:5432/db",
        "postgres://u:5432/hunter2@h:5432/db",
        "postgres://u:1#hunter2@h/db",
        "postgres://u@h:hunter2/db",
        "postgres://[hunter2/db",
        "hunter2://h",
    ],
}
READERS: dict[str, Callable[[str, str], object]] = {
    "REDIS_URL": environment.redis_address,
    "EMAIL_URL": environment.mail_settings,
    "DATABASE_URL": databases.read_address,
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_address_is_one_line_with_its_name_and_not_its_value(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"^{name} ") as refused:
        READERS[name](name, value)

    told = "".join(traceback.format_exception(refused.value))
    assert "\n" not in str(refused.value)
    assert "hunter2" not in told.replace(value, "")
    assert "hunter2" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    "address",
    [
        "redis://127.0.0.1",
        "redis://:a%2Fb@h:6379/0",
        "rediss://u@h:10000/0?health_check_interval=5",
    ],
)
def test_a_right_address_of_redis_is_taken(address: str) -> None:
    assert environment.redis_address("REDIS_URL", address).hostname in {"127.0.0.1", "h"}


def test_a_password_of_mail_may_hold_anything_when_it_is_written_rightly() -> None:
    told = environment.mail_settings("EMAIL_URL", "smtp+tls://u:hunter2%2Fpa%40@h:587")

    assert (told["EMAIL_HOST_PASSWORD"], told["EMAIL_PORT"]) == ("hunter2/pa@", 587)


def test_with_tokens_the_address_of_the_database_has_no_password() -> None:
    _, error = run(
        "", DATABASE_URL="postgres://app:hunter2@db.example/atrium", DATABASE_AUTH="entra"
    )

    assert "DATABASE_URL must hold no password" in error
    assert "hunter2" not in error
