"""A scope that is narrowed from within: by who has to look first which tenant it is about."""

import uuid
from collections.abc import Iterator

import pytest

from tenants.scope import ScopeError, describe_scope, narrow_scope, platform_scope, tenants_scope
from tests.client import without_scope

ACME, GLOBEX, INITECH = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)


@pytest.fixture(
    autouse=True,
    params=[
        pytest.param(True, id="in a transaction", marks=pytest.mark.django_db),
        pytest.param(False, id="by itself", marks=pytest.mark.django_db(transaction=True)),
    ],
)
def start() -> Iterator[None]:
    """Begins without a scope; must leave none."""
    with without_scope():
        yield


def test_a_scope_is_narrowed_to_its_end() -> None:
    with platform_scope("a test"):
        narrow_scope(ACME)
        inside = describe_scope()

    assert (inside, describe_scope()) == (str(ACME), "none")


def test_the_scope_around_a_narrowed_one_stays_as_it_is() -> None:
    with tenants_scope([ACME, GLOBEX]):
        with tenants_scope([ACME, GLOBEX]):
            narrow_scope(GLOBEX)
        after = describe_scope()

    assert after == f"{ACME},{GLOBEX}"


def test_a_narrowed_scope_cannot_be_left_for_another_tenant() -> None:
    with platform_scope("a test"):
        narrow_scope(ACME)

        with pytest.raises(ScopeError):
            narrow_scope(GLOBEX)
        with pytest.raises(ScopeError), platform_scope("once more"):
            raise AssertionError("this is never run")

        assert describe_scope() == str(ACME)


def test_a_scope_is_not_narrowed_to_a_tenant_that_it_does_not_have() -> None:
    with tenants_scope([ACME, GLOBEX]):
        with pytest.raises(ScopeError):
            narrow_scope(INITECH)

        assert describe_scope() == f"{ACME},{GLOBEX}"


def test_there_is_nothing_to_be_narrowed_outside_a_scope() -> None:
    with pytest.raises(ScopeError):
        narrow_scope(ACME)

    assert describe_scope() == "none"
