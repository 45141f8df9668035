"""Scopes: what nests in what, where they end, and who else can set one (nobody)."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Barrier

import pytest
from django.conf import settings
from django.db import DataError, connection, transaction

from tenants.models import Tenant
from tenants.scope import ScopeError, describe_scope, platform_scope, tenant_scope, tenants_scope
from tests.client import current_scope, without_scope

ACME, GLOBEX, INITECH = uuid.UUID(int=1), uuid.UUID(int=2), uuid.UUID(int=3)
ROOT = Path(settings.BASE_DIR)
Scope = Callable[[], AbstractContextManager[None]]


def acme() -> AbstractContextManager[None]:
    return tenant_scope(ACME)


def two() -> AbstractContextManager[None]:
    return tenants_scope([ACME, GLOBEX])


def nobody() -> AbstractContextManager[None]:
    return tenants_scope([])


def platform() -> AbstractContextManager[None]:
    return platform_scope("a test")


@pytest.fixture(
    autouse=True,
    params=[
        pytest.param(True, id="in a transaction", marks=pytest.mark.django_db),
        pytest.param(False, id="by itself", marks=pytest.mark.django_db(transaction=True)),
    ],
)
def start(request: pytest.FixtureRequest) -> Iterator[None]:
    """Begins without a scope, inside an open transaction and outside; must leave none."""
    assert connection.in_atomic_block is request.param
    with without_scope():
        yield


@pytest.mark.parametrize(
    ("outer", "inner", "shown"),
    [
        (platform, platform, "platform"),
        (platform, two, f"{ACME},{GLOBEX}"),
        (platform, acme, str(ACME)),
        (two, two, f"{ACME},{GLOBEX}"),
        (two, acme, str(ACME)),
        (acme, acme, str(ACME)),
        (platform, nobody, str(uuid.UUID(int=0))),
        (two, nobody, str(uuid.UUID(int=0))),
        (nobody, nobody, str(uuid.UUID(int=0))),
    ],
)
def test_a_scope_inside_another_narrows_it_until_its_end(
    outer: Scope, inner: Scope, shown: str
) -> None:
    with outer():
        before = describe_scope()
        with inner():
            assert describe_scope() == shown
        assert describe_scope() == before

    assert describe_scope() == "none"


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (acme, platform),
        (two, platform),
        (nobody, platform),
        (acme, two),
        (acme, lambda: tenant_scope(GLOBEX)),
        (two, lambda: tenants_scope([ACME, INITECH])),
        (nobody, acme),
        (nobody, two),
    ],
)
def test_a_scope_inside_another_never_widens_it(outer: Scope, inner: Scope) -> None:
    with outer():
        before = describe_scope()
        with pytest.raises(ScopeError), inner():
            raise AssertionError("this is never run")
        assert describe_scope() == before


def test_a_wider_scope_is_refused_also_below_a_narrow_one_in_a_wide_one() -> None:
    with platform(), acme(), pytest.raises(ScopeError), platform():
        raise AssertionError("this is never run")


def test_a_scope_of_no_tenant_shows_nothing() -> None:
    with platform():
        Tenant.objects.create(slug="acme", name="Acme")

    with nobody():
        assert not Tenant.objects.exists()


def test_an_error_inside_a_scope_brings_back_the_one_around_it() -> None:
    with platform():
        with pytest.raises(ZeroDivisionError), acme():
            raise ZeroDivisionError
        assert describe_scope() == "platform"

    assert describe_scope() == "none"


def test_an_error_of_the_database_inside_a_scope_brings_back_the_one_around_it() -> None:
    with two():
        with pytest.raises(DataError), acme(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")
        assert describe_scope() == f"{ACME},{GLOBEX}"


def test_an_error_that_is_caught_around_scopes_leaves_none() -> None:
    with pytest.raises(DataError), two(), acme(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")

    assert describe_scope() == "none"


def test_a_rollback_inside_a_scope_leaves_the_scope() -> None:
    with acme():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            raise ZeroDivisionError
        assert describe_scope() == str(ACME)


def test_a_scope_that_is_to_be_rolled_back_brings_back_the_one_around_it() -> None:
    with platform():
        with acme():
            transaction.set_rollback(True)
        assert describe_scope() == "platform"


def test_a_scope_inside_a_transaction_ends_before_it() -> None:
    with transaction.atomic():
        with acme():
            assert describe_scope() == str(ACME)
        assert describe_scope() == "none"


def test_what_a_scope_wrote_stays_when_a_later_one_fails() -> None:
    with transaction.atomic():
        with platform():
            Tenant.objects.create(slug="acme", name="Acme")
        with pytest.raises(ZeroDivisionError), acme():
            raise ZeroDivisionError

    with platform():
        assert Tenant.objects.exists()


def test_a_generator_that_is_dropped_in_a_scope_leaves_none() -> None:
    def rows() -> Iterator[int]:
        with acme():
            yield 1
            yield 2

    reading = rows()
    next(reading)
    reading.close()  # type: ignore[attr-defined]  # it is a generator

    assert describe_scope() == "none"


def test_threads_do_not_share_scopes() -> None:
    everybody_is_in = Barrier(2, timeout=10)

    def confine(tenant: uuid.UUID) -> tuple[str, str, str]:
        try:
            with platform(), tenant_scope(tenant):
                everybody_is_in.wait()
                inside = describe_scope()
            return inside, *current_scope()
        finally:
            connection.close()

    with acme(), ThreadPoolExecutor(2) as threads:
        found = list(threads.map(confine, [ACME, GLOBEX]))
        mine = describe_scope()

    assert [inside for inside, *_ in found] == [str(ACME), str(GLOBEX)]
    assert {tenants for _, tenants, _ in found} == {""}
    assert mine == str(ACME)


def test_greenlets_do_not_share_scopes() -> None:
    command = [sys.executable, "-m", "tests.tenants.greenlets"]

    done = subprocess.run(
        command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout.splitlines() == [f"{ACME} none", f"{GLOBEX} none"], done.stderr


def test_nothing_else_in_the_portal_sets_a_scope() -> None:
    # A setting of PostgreSQL's own has no dot in its name, and may be set elsewhere.
    sets = re.compile(
        r"atrium\.(tenants|platform)|set_config\((?!'[a-z_]+',)|\bSET (LOCAL|SESSION)\b"
    )
    files = [path for app in ("portal", "chat", "tenants") for path in (ROOT / app).rglob("*.py")]

    setting = {path.relative_to(ROOT).as_posix() for path in files if sets.search(path.read_text())}

    assert setting == {"tenants/scope.py", "tenants/isolation.py"}


def test_what_the_policies_read_is_set_for_the_transaction_alone() -> None:
    with acme():
        set_for_the_transaction = current_scope()
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL atrium.tenants = ''")

    assert set_for_the_transaction == (str(ACME), "")
    assert current_scope() == ("", "")
