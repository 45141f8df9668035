"""What tests of people and invitations share: mona, who manages the tenant, and browsers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from tenants.models import Membership, Tenant, User
from tenants.services import create_member, invite
from tests.client import PortalClient


@pytest.fixture
def manager(tenant: Tenant) -> Membership:
    """mona, who manages the tenant."""
    return create_member(tenant=tenant, email="mona@example.org", role="manager", name="Mona")


@pytest.fixture
def second_owner(tenant: Tenant, owner: Membership) -> Membership:
    """olga, who owns the tenant beside alice."""
    return create_member(tenant=tenant, email="olga@example.org", role="owner", name="Olga")


@pytest.fixture
def link(tenant: Tenant, owner: Membership) -> str:
    """The path of dora's invitation as a member, which alice has sent; dora has no account."""
    return path_of(invite(tenant=tenant, email="dora@example.org", role="member").link)


def path_of(link: str) -> str:
    """The link without its host."""
    return urlsplit(link).path


def browser_of(user: User) -> Client:
    """A browser in which this person is signed in."""
    client = PortalClient()
    client.force_login(user)
    return client


def mailed_link(number: int = -1) -> str:
    """The path of the link in the mail that was sent last, or in another one."""
    words = str(mail.outbox[number].body).split()
    return path_of(next(word for word in words if "/invitations/" in word))


def at_once(*tasks: Callable[[], object]) -> list[object]:
    """Run these at the same time, each on a connection of its own; their results or errors."""
    barrier = Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        barrier.wait(10)
        try:
            return task()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


@contextmanager
def nothing_written(*models: type) -> Iterator[None]:
    """Within this block no row of these comes, goes or changes."""
    before = [list(model.objects.order_by("pk").values()) for model in models]  # type: ignore[attr-defined]  # any model
    yield
    after = [list(model.objects.order_by("pk").values()) for model in models]  # type: ignore[attr-defined]  # as above
    assert after == before


def token_of(link: str) -> str:
    """The secret in a link."""
    return link.rstrip("/").rpartition("/")[2]


def text_of(response: Any) -> str:
    """The page."""
    return str(response.content.decode())
