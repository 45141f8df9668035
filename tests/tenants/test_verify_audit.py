"""`verify_audit`, as an operator uses it."""

import io
import os

import pytest
from django.core.management import CommandError, call_command

from tenants.models import Tenant
from tenants.services import create_tenant, record
from tests import servers
from tests.commands import manage
from tests.stack import address_of_test_database


def verify(*arguments: str) -> str:
    """What the command prints."""
    output = io.StringIO()
    call_command("verify_audit", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def chains(transactional_db: None) -> Tenant:
    """Chains of two tenants, and of the platform."""
    acme = create_tenant(slug="acme", name="Acme")
    create_tenant(slug="globex", name="Globex")
    record("thing.done", tenant=acme)
    record("platform.done")
    return acme


@pytest.fixture
def tampered(chains: Tenant) -> Tenant:
    """The same, with one event of acme's changed by the owner of the tables."""
    with servers.owner_connection() as owner:
        owner.execute("SET atrium.platform = 'on'")
        owner.execute("ALTER TABLE tenants_auditevent DISABLE TRIGGER USER")
        owner.execute("UPDATE tenants_auditevent SET action = 'x' WHERE action = 'thing.done'")
        owner.execute("ALTER TABLE tenants_auditevent ENABLE TRIGGER USER")
    return chains


def test_it_names_every_chain_and_that_it_is_complete(chains: Tenant) -> None:
    assert verify() == (
        "(platform): 1 event, complete\nacme: 2 events, complete\nglobex: 1 event, complete\n"
    )


def test_it_looks_at_one_tenant_where_one_is_named(chains: Tenant) -> None:
    assert verify("--tenant", "globex") == "globex: 1 event, complete\n"


def test_it_names_the_tenant_the_place_and_the_problem(tampered: Tenant) -> None:
    output = io.StringIO()

    with pytest.raises(CommandError, match="not as it was written: 1 fault"):
        call_command("verify_audit", stdout=output)

    assert output.getvalue() == (
        "(platform): 1 event, complete\n"
        "acme: event 2: its content was changed\n"
        "acme: 2 events, 1 fault\n"
        "globex: 1 event, complete\n"
    )


def test_a_switched_off_trigger_is_a_fault(chains: Tenant) -> None:
    with servers.owner_connection() as owner:
        owner.execute("ALTER TABLE tenants_auditevent DISABLE TRIGGER tenants_auditevent_chained")
        try:
            with pytest.raises(CommandError, match="1 fault"):
                verify()
        finally:
            owner.execute(
                "ALTER TABLE tenants_auditevent ENABLE TRIGGER tenants_auditevent_chained"
            )


def test_an_unknown_tenant_is_refused(chains: Tenant) -> None:
    with pytest.raises(CommandError, match="no tenant “initech”"):
        verify("--tenant", "initech")


def test_as_a_process_it_ends_with_status_one_when_something_is_wrong(tampered: Tenant) -> None:
    environment = {**os.environ, "DATABASE_URL": address_of_test_database()}

    def run(*arguments: str) -> int:
        return manage("verify_audit", *arguments, env=environment).returncode

    assert run() == 1
    assert run("--tenant", "globex") == 0
