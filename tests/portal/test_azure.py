"""Tokens of the managed identity: got once, renewed in time, and never shown."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from portal import azure
from tests.cloud.fixtures import forget_tokens, identity
from tests.cloud.identity import CLIENT_ID, OPENAI, POSTGRES, PREFIX, Identity
from tests.stack import wait_until

__all__ = ["forget_tokens", "identity"]


def test_a_token_is_asked_for_once_for_the_identity_of_the_setting(identity: Identity) -> None:
    tokens = {azure.database_token() for _ in range(5)}

    assert tokens == {f"{PREFIX}1"}
    assert [(asked["resource"], asked["client_id"]) for asked in identity.requests] == [
        (POSTGRES, CLIENT_ID)
    ]


def test_each_scope_has_a_token_of_its_own(identity: Identity) -> None:
    assert azure.database_token() != azure.redis_token().value != azure.openai_token()

    assert {token.resource for token in identity.issued} >= {POSTGRES, OPENAI}


def test_a_token_is_renewed_before_it_expires(identity: Identity) -> None:
    identity.life_seconds = 3

    ends_at = time.time() + 4.0
    while time.time() < ends_at:
        assert identity.is_valid(azure.database_token(), POSTGRES)

    assert 2 <= len(identity.issued) <= 5


def test_many_threads_ask_for_one_token(identity: Identity) -> None:
    with ThreadPoolExecutor(16) as threads:
        tokens = {*threads.map(lambda _: azure.database_token(), range(64))}

    assert len(tokens) == len(identity.requests) == 1


def test_the_token_in_hand_is_used_on_while_no_new_one_can_be_had(
    identity: Identity, caplog: pytest.LogCaptureFixture
) -> None:
    identity.life_seconds = 4
    first = azure.redis_token()
    identity.refuse(400, times=100)
    wait_until(lambda: time.time() > first.renew_at)

    assert azure.redis_token() == azure.redis_token() == first
    assert len(identity.requests) == 2
    assert [r.name for r in caplog.records if r.levelno == logging.WARNING].count(
        "portal.azure"
    ) == 1


def test_an_expired_token_is_not_used(identity: Identity) -> None:
    identity.life_seconds = 2
    first = azure.redis_token()
    identity.refuse(400, times=100)
    wait_until(lambda: time.time() > first.expires_at)

    with pytest.raises(azure.TokenError):
        azure.redis_token()
    identity.stop_refusing()
    wait_until(lambda: _is_given(azure.redis_token))

    assert azure.redis_token() != first


def _is_given(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except azure.TokenError:
        return False
    return True


def test_past_half_of_its_life_a_token_is_not_asked_for_at_each_call(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = azure.redis_token()
    identity.refuse(400, times=100)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 45_000)

    tokens = {azure.redis_token() for _ in range(4)}

    assert {token.value for token in tokens} == {first.value}
    assert len(identity.requests) == 2
    assert "the token in hand is used on" in caplog.text


def test_who_waits_for_an_endpoint_that_hangs_waits_once(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"read_timeout": 1, "retry_read": 0}.items():
        monkeypatch.setitem(azure._PATIENCE, name, value)
    identity.hang()

    with ThreadPoolExecutor(3) as threads:
        given = [*threads.map(lambda _: _is_given(azure.redis_token), range(3))]
    given.append(_is_given(azure.redis_token))

    assert given == [False] * 4
    assert len(identity.requests) == 1


def test_an_endpoint_that_hangs_is_asked_twice_and_no_more(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(azure._PATIENCE, "read_timeout", 0.2)
    identity.hang()

    assert not _is_given(azure.redis_token)
    assert len(identity.requests) == 2


ODD = {
    "empty": b"",
    "page": b"<html>Bad gateway</html>",
    "list": b"[1]",
    "text": b'"no"',
    "no time": b'{"access_token": "x", "expires_on": "soon"}',
}


@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_answer_that_cannot_be_read_is_no_token(
    identity: Identity, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes
) -> None:
    monkeypatch.setitem(azure._PATIENCE, "retry_total", 0)
    identity.refuse(status, body=body)

    with pytest.raises(azure.TokenError, match="token for") as refused:
        azure.redis_token()

    assert "\n" not in str(refused.value)


def test_the_token_in_hand_is_used_on_when_the_answer_cannot_be_read(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(azure._PATIENCE, "retry_total", 0)
    identity.life_seconds = 4
    first = azure.redis_token()
    identity.refuse(500, times=100, body=b"")
    wait_until(lambda: time.time() > first.renew_at)

    assert azure.redis_token() == first


@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_that_was_cut_off_shows_no_token(
    identity: Identity,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setitem(azure._PATIENCE, "retry_total", 0)
    identity.refuse(status, body=b'{"access_token": "hunter2-of-the-test", "expires')

    with pytest.raises(azure.TokenError) as refused:
        azure.redis_token()

    assert "hunter2" not in str(refused.value)
    assert "hunter2" not in caplog.text


def test_a_token_that_has_expired_already_is_none(identity: Identity) -> None:
    identity.life_seconds = -60

    with pytest.raises(azure.TokenError, match="has expired"):
        azure.redis_token()


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_endpoint_is_asked_again(identity: Identity, status: int) -> None:
    identity.refuse(status, times=2)

    assert azure.database_token() == f"{PREFIX}1"


def test_a_refusal_is_one_line_with_its_cause(identity: Identity) -> None:
    identity.known_clients.clear()

    with pytest.raises(azure.TokenError, match="No User Assigned or Delegated") as refused:
        azure.database_token()

    assert "\n" not in str(refused.value)


def test_an_endpoint_that_is_away_is_one_line(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/msi/token")
    monkeypatch.setitem(azure._PATIENCE, "retry_total", 0)

    with pytest.raises(azure.TokenError, match="refused") as refused:
        azure.database_token()

    assert "\n" not in str(refused.value)


def test_in_app_service_nothing_but_its_identity_is_asked(identity: Identity) -> None:
    assert isinstance(azure.credential(), ManagedIdentityCredential)


def test_elsewhere_no_managed_identity_is_looked_for(
    forget_tokens: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDENTITY_ENDPOINT", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)

    found = azure.credential()

    assert isinstance(found, DefaultAzureCredential)
    kinds = {type(one).__name__ for one in found.credentials}
    assert "AzureCliCredential" in kinds
    assert "ManagedIdentityCredential" not in kinds


def test_without_any_identity_the_error_says_so(
    forget_tokens: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IDENTITY_ENDPOINT", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(azure.NoIdentityError, match="no identity gives a token for") as refused:
        azure.database_token()

    assert "\n" not in str(refused.value)


def test_no_token_and_no_header_is_logged_even_when_all_is(
    identity: Identity, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    identity.life_seconds = 2

    wait_until(lambda: azure.database_token() != f"{PREFIX}1")

    assert caplog.records
    assert PREFIX not in caplog.text
    assert identity.environment["IDENTITY_HEADER"] not in caplog.text
