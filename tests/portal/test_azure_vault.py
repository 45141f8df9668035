"""Secrets from Key Vault: read when a process starts, newest first, and never shown."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.keyvault.secrets._shared.http_challenge_cache import clear
from django.core.exceptions import ImproperlyConfigured

from portal import azure
from tests.cloud.certificates import Authority
from tests.cloud.fixtures import forget_tokens, identity
from tests.cloud.identity import PREFIX, VAULT, Identity
from tests.cloud.vault import HOST, Vault
from tests.stack import environment_for

__all__ = ["forget_tokens", "identity"]

URL = f"https://{HOST}/"
OLD, NEW = "old-key-" + "o" * 50, "new-key-" + "n" * 50


@pytest.fixture
def vault(identity: Identity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    """A vault that this process is led to."""
    clear()  # what the SDK remembers of earlier vaults of this name
    monkeypatch.setitem(azure._PATIENCE, "retry_total", 0)
    with Vault(identity, tmp_path) as vault:
        lead_to(vault, monkeypatch)
        yield vault


def lead_to(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have this process find that vault."""
    for name, value in vault.environment.items():
        monkeypatch.setenv(name, value)


def test_the_enabled_versions_are_read_newest_first_and_at_most_three(vault: Vault) -> None:
    later = int(time.time()) + 3600
    for number in range(5):
        vault.add("secret-key", f"key {number}", exp=later)
    vault.add("secret-key", "withdrawn", enabled=False)
    vault.add("secret-key", "not yet", nbf=later)
    vault.add("secret-key", "no more", exp=later - 7200)

    assert azure.read_secret(URL, "secret-key") == ["key 4", "key 3", "key 2"]


def test_a_secret_that_is_not_there_is_none(vault: Vault) -> None:
    assert azure.read_secret(URL, "email-url") == []


def test_the_token_goes_to_whom_the_challenge_names_rightly(vault: Vault) -> None:
    vault.add("secret-key", NEW)
    azure.read_secret(URL, "secret-key")

    assert not vault.requests[0][1], "the first request carries no token"
    assert all(has_token for _, has_token in vault.requests[1:])


def test_a_vault_that_asks_for_a_token_of_another_service_gets_none(
    identity: Identity, vault: Vault
) -> None:
    vault.resource = "https://management.azure.com"

    with pytest.raises(ImproperlyConfigured, match="KEY_VAULT_URL"):
        azure.read_secret(URL, "secret-key")

    assert identity.issued == []


@pytest.mark.parametrize(
    ("names", "expired"), [(["vault.example"], False), ([HOST], True)],
    ids=["of another name", "expired"],
)  # fmt: skip
def test_the_certificate_of_the_vault_is_checked(
    identity: Identity,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: list[str],
    expired: bool,
) -> None:
    clear()
    monkeypatch.setitem(azure._PATIENCE, "retry_total", 0)
    certificate = Authority(tmp_path).issue(*names, expired=expired)
    with Vault(identity, tmp_path, certificate=certificate) as vault:
        lead_to(vault, monkeypatch)

        with pytest.raises(ImproperlyConfigured, match="certificate verify failed"):
            azure.read_secret(URL, "secret-key")

    assert identity.issued == []


def test_a_refusal_is_one_line_with_its_cause(vault: Vault) -> None:
    vault.add("secret-key", NEW)
    vault.refusal = (403, "Forbidden", "Caller is not authorized.\r\nCaller: appid=5e29;oid=1")

    with pytest.raises(
        ImproperlyConfigured, match=r"KEY_VAULT_URL: .*secret-key.* 403 "
    ) as refused:
        azure.read_secret(URL, "secret-key")

    assert "\n" not in str(refused.value)
    assert PREFIX not in str(refused.value)


def test_without_an_identity_it_is_one_line_too(identity: Identity, vault: Vault) -> None:
    identity.known_clients.clear()

    with pytest.raises(ImproperlyConfigured, match=r"KEY_VAULT_URL: .*No User Assigned") as refused:
        azure.read_secret(URL, "secret-key")

    assert "\n" not in str(refused.value)


def test_only_an_https_address_is_a_vault() -> None:
    with pytest.raises(ImproperlyConfigured, match="KEY_VAULT_URL must be an https address"):
        azure.read_secret("http://127.0.0.1:9", "secret-key")


SHOW = (
    "from django.conf import settings as s;"
    "print(s.SECRET_KEY, *s.SECRET_KEY_FALLBACKS, s.EMAIL_HOST, s.EMAIL_HOST_PASSWORD)"
)


def start(identity: Identity, vault: Vault, **settings: str) -> subprocess.CompletedProcess[str]:
    """A process of the portal that starts with secrets in this vault."""
    environment = environment_for(
        DJANGO_SETTINGS_MODULE="portal.settings", SECRET_KEY="", EMAIL_URL="", **settings
    )
    environment |= identity.environment | vault.environment
    return subprocess.run(
        [sys.executable, "-c", SHOW],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_process_starts_with_what_the_vault_holds(identity: Identity, vault: Vault) -> None:
    for key in (OLD, NEW):
        vault.add("secret-key", key)
    vault.add("email-url", "smtp+tls://portal:hunter2@mail.example:587")

    done = start(identity, vault)

    assert done.stdout.split() == [NEW, OLD, "mail.example", "hunter2"]
    assert len(identity.issued_for(VAULT)) == 1


def test_a_vault_that_does_not_answer_stops_the_start_with_one_clear_line(
    identity: Identity, vault: Vault
) -> None:
    vault.add("secret-key", NEW)
    vault.refusal = (403, "Forbidden", "Public network access is disabled.")

    done = start(identity, vault)

    assert done.returncode != 0
    assert (
        "KEY_VAULT_URL: the secret secret-key cannot be read: 403" in done.stderr.splitlines()[-1]
    )
    assert NEW not in done.stderr
    assert PREFIX not in done.stderr
