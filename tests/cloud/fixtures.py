"""Fixtures of tests in which the portal has a managed identity: import what is wanted."""

from collections.abc import Callable, Iterator

import pytest

from portal import azure
from tests.cloud.identity import Identity

__all__ = ["forget_tokens", "identity"]


@pytest.fixture
def forget_tokens() -> Iterator[Callable[[], None]]:
    """Makes this process one that has just started; it is one before and after the test."""

    def forget() -> None:
        for kept in (azure.credential, azure._keeper, azure._vault):
            kept.cache_clear()

    forget()
    yield forget
    forget()


@pytest.fixture
def identity(
    monkeypatch: pytest.MonkeyPatch, forget_tokens: Callable[[], None]
) -> Iterator[Identity]:
    """The endpoint of App Service, with tokens that live for a day, known to this process."""
    with Identity() as identity:
        for name, value in identity.environment.items():
            monkeypatch.setenv(name, value)
        yield identity
