"""`manage.py shell` shows no row of any tenant until somebody says which, or why all."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tenants.models import AuditEvent, Tenant
from tenants.scope import ScopeError, platform_scope
from tests.client import without_scope

NAMES = "from tenants.models import Tenant; print(*Tenant.objects.values_list('name', flat=True))"


@pytest.fixture(autouse=True)
def tenants(tenant: Tenant, other_tenant: Tenant) -> Iterator[None]:
    """Acme and Globex; a session begins without a scope and must leave none."""
    with without_scope():
        yield


def said(capsys: pytest.CaptureFixture[str], code: str, *options: str) -> str:
    """What this code prints in a session that was started like this."""
    call_command("shell", *options, "-v", "0", "-c", code)
    return capsys.readouterr().out.strip()


def test_without_an_option_it_shows_no_tenant(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, NAMES) == ""


def test_with_a_tenant_it_shows_that_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, NAMES, "--tenant", "acme") == "Acme"


def test_with_a_reason_it_shows_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, NAMES, "--platform", "looking for a name") == "Acme Globex"


def test_a_scope_can_be_opened_in_the_session(capsys: pytest.CaptureFixture[str]) -> None:
    code = f"from tenants.scope import platform_scope\nwith platform_scope('a test'):\n    {NAMES}"

    assert said(capsys, code) == "Acme Globex"


def test_a_session_of_one_tenant_cannot_see_all() -> None:
    code = "from tenants.scope import platform_scope\nwith platform_scope('more'):\n    pass"

    with pytest.raises(ScopeError):
        call_command("shell", "--tenant", "acme", "-c", code)


def test_what_a_session_writes_is_kept_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    rename = "from tenants.models import Tenant; Tenant.objects.update(name='Renamed')"
    said(capsys, rename, "--tenant", "acme")

    assert said(capsys, NAMES, "--platform", "a test") == "Globex Renamed"


def test_a_session_that_fails_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    fail = "from tenants.models import Tenant; Tenant.objects.update(name='Renamed'); 1 / 0"

    with pytest.raises(ZeroDivisionError):
        said(capsys, fail, "--tenant", "acme")

    assert said(capsys, NAMES, "--platform", "a test") == "Acme Globex"


@pytest.mark.parametrize(
    "options", [["--tenant", "nowhere"], ["--tenant", "acme", "--platform", "both"]]
)
def test_options_that_make_no_sense_are_refused(options: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("shell", *options, "-c", "pass")


def test_a_session_with_a_scope_is_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "pass", "--platform", "looking for a name")
    said(capsys, "pass", "--tenant", "acme")

    with platform_scope("a test"):
        events = AuditEvent.objects.filter(action="shell.opened").order_by("created_at")
        assert [(event.tenant_id is None, event.detail) for event in events] == [
            (True, {"reason": "looking for a name"}),
            (False, {}),
        ]


def test_all_tenants_need_a_reason() -> None:
    with pytest.raises(CommandError, match="Say why"):
        call_command("shell", "--platform", "  ", "-c", "pass")
