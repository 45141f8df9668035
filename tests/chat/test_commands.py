"""`sync_deployments` and `settle`, as an operator uses them."""

import io
import json
import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chat.models import Conversation, Deployment, DeploymentGrant, Generation
from tenants.models import AuditEvent, Tenant
from tests.commands import manage
from tests.stack import address_of_test_database

ENTRY: dict[str, Any] = {
    "name": "gpt-small",
    "label": "GPT small",
    "kind": "openai",
    "model": "gpt-small-1",
    "context_window": 128_000,
    "input_price": 0.15,
    "output_price": "0.60",
    "grants": [{"tenant": "acme", "default": True}],
}


def sync(path: Path, *entries: object, text: str = "", **options: Any) -> str:
    """What the command says to a file with these entries."""
    path.write_text(text or json.dumps(list(entries)))
    output = io.StringIO()
    call_command("sync_deployments", str(path), stdout=output, **options)
    return output.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A catalogue file."""
    return tmp_path / "catalogue.yaml"


def test_sync_creates_then_finds_nothing_to_do(tenant: Tenant, path: Path) -> None:
    first = sync(path, ENTRY)
    second = sync(path, ENTRY)

    deployment = Deployment.objects.get()
    assert first == "created 1, updated 0, unchanged 0, deactivated 0.\n"
    assert second == "created 0, updated 0, unchanged 1, deactivated 0.\n"
    assert (deployment.input_price, deployment.output_price) == (Decimal("0.15"), Decimal("0.6"))
    assert deployment.grants.get().is_default
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert actions == {"tenant.created", "deployment.created", "deployment.granted"}


def test_sync_reads_yaml(tenant: Tenant, path: Path) -> None:
    text = """
    deployments:
      - name: gpt-small
        label: GPT small
        kind: openai
        model: gpt-small-1
        context_window: 8192
        is_active: no
    """

    assert sync(path, text=text).startswith("created 1,")
    assert not Deployment.objects.get().is_active


def test_sync_reads_standard_input(
    tenant: Tenant, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps([ENTRY], indent="\t")))

    call_command("sync_deployments", "-", stdout=io.StringIO())

    assert Deployment.objects.get().label == "GPT small"


def test_an_optional_field_that_is_absent_gets_its_default(tenant: Tenant, path: Path) -> None:
    sync(path, {**ENTRY, "purpose": "Everything", "is_active": False})

    said = sync(path, ENTRY)

    deployment = Deployment.objects.get()
    assert said == "created 0, updated 1, unchanged 0, deactivated 0.\n"
    assert (deployment.purpose, deployment.is_active) == ("", True)
    changed = AuditEvent.objects.get(action="deployment.changed").detail["changes"]
    assert changed == {"purpose": ["Everything", ""], "is_active": ["False", "True"]}


def test_sync_withdraws_grants_that_the_list_leaves_out_and_keeps_those_of_a_silent_entry(
    tenant: Tenant, other_tenant: Tenant, path: Path
) -> None:
    sync(path, ENTRY)
    sync(path, {key: value for key, value in ENTRY.items() if key != "grants"})
    kept = list(DeploymentGrant.objects.values_list("tenant__slug", flat=True))

    sync(path, {**ENTRY, "grants": [{"tenant": "globex"}]})

    assert kept == ["acme"]
    grant = DeploymentGrant.objects.get()
    assert (grant.tenant, grant.is_default) == (other_tenant, False)


def test_a_default_moves_from_one_deployment_to_another(tenant: Tenant, path: Path) -> None:
    sync(path, ENTRY)
    large = {**ENTRY, "name": "gpt-large"}
    small = {**ENTRY, "grants": [{"tenant": "acme"}]}

    said = sync(path, large, small)

    assert said == "created 1, updated 1, unchanged 0, deactivated 0.\n"
    assert DeploymentGrant.objects.get(is_default=True).deployment.name == "gpt-large"
    assert DeploymentGrant.objects.count() == 2


def test_sync_takes_the_default_of_a_deployment_that_the_file_does_not_name(
    deployment: Deployment, path: Path
) -> None:
    sync(path, ENTRY)

    assert DeploymentGrant.objects.get(is_default=True).deployment.name == "gpt-small"
    assert deployment.grants.exists()


def test_missing_deployments_are_switched_off_only_when_asked(
    deployment: Deployment, path: Path
) -> None:
    sync(path, ENTRY)
    deployment.refresh_from_db()
    was_active = deployment.is_active

    said = sync(path, ENTRY, deactivate_missing=True)

    deployment.refresh_from_db()
    assert was_active
    assert not deployment.is_active
    assert said == "created 0, updated 0, unchanged 1, deactivated 1.\n"


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    deployment: Deployment, path: Path
) -> None:
    said = sync(path, ENTRY, dry_run=True, deactivate_missing=True)

    assert said == "Would be: created 1, updated 0, unchanged 0, deactivated 1.\n"
    assert list(Deployment.objects.values_list("name", "is_active")) == [("small", True)]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"label": ""}, "gpt-small: label: This field cannot be blank."),
        ({"label": 4.1}, "gpt-small: label: it must be a text."),
        ({"kind": "magic"}, "gpt-small: kind: Value 'magic' is not a valid choice."),
        ({"context_window": "many"}, "gpt-small: context_window: it must be a whole number."),
        ({"context_window": True}, "gpt-small: context_window: it must be a whole number."),
        ({"context_window": 1}, "gpt-small: context_window: Ensure this value is greater"),
        ({"context_window": 10**12}, "gpt-small: context_window: Ensure this value is less"),
        ({"input_price": "cheap"}, "gpt-small: input_price: it must be a number."),
        ({"input_price": "NaN"}, "gpt-small: input_price: it must be a number."),
        ({"input_price": -1}, "gpt-small: input_price: it must not be below zero."),
        ({"output_price": 0.1234567}, "gpt-small: output_price: Ensure that there are no more"),
        ({"is_active": "no"}, "gpt-small: is_active: it must be true or false."),
        ({"endpoint": "https://openai.azure.com.attacker.example/"}, "gpt-small: endpoint: The"),
        ({"name": "gpt small"}, "gpt small: name: Enter a valid"),
        ({"name": ""}, "entry 1: name: every entry needs one."),
        ({"colour": "red"}, "gpt-small: colour: there is no such field."),
        ({"grants": {"tenant": "acme"}}, "gpt-small: grants: it must be a list"),
        ({"grants": None}, "gpt-small: grants: it must be a list"),
        ({"grants": [{"tenant": "acme", "default": "yes"}]}, "gpt-small: grants: it must be"),
        ({"grants": [{"tenant": "nowhere"}]}, "gpt-small: grants: there is no tenant “nowhere”."),
    ],
)
def test_sync_names_entry_and_field_of_what_is_wrong_and_writes_nothing(
    tenant: Tenant, path: Path, change: dict[str, Any], complaint: str
) -> None:
    fine = {**ENTRY, "name": "fine", "grants": []}

    with pytest.raises(CommandError) as refusal:
        sync(path, {**ENTRY, **change}, fine)

    lines = str(refusal.value).splitlines()
    assert any(line.strip().startswith(complaint) for line in lines), lines
    assert not Deployment.objects.exists()


def test_sync_names_every_problem_at_once(tenant: Tenant, path: Path) -> None:
    broken = {"name": "bare", "label": "Bare"}
    twice = {**ENTRY, "label": ""}

    with pytest.raises(CommandError) as refusal:
        sync(path, broken, ENTRY, twice, 7)

    lines = [line.strip() for line in str(refusal.value).splitlines()[1:]]
    assert lines == [
        "bare: context_window: it is required.",
        "bare: kind: it is required.",
        "bare: model: it is required.",
        "gpt-small: name: it is given twice.",
        "entry 4: name: every entry needs one.",
    ]


def test_two_defaults_for_one_tenant_are_refused(tenant: Tenant, path: Path) -> None:
    with pytest.raises(CommandError, match="“acme” has gpt-small as its default already"):
        sync(path, ENTRY, {**ENTRY, "name": "gpt-large"})


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["7", "{}", "deployments: {a: 1}", "[", "a: [b", "\t- x"])
def test_a_file_that_is_no_catalogue_is_refused_in_plain_words(path: Path, text: str) -> None:
    with pytest.raises(CommandError, match=r"must be a list of deployments|neither JSON nor YAML"):
        sync(path, text=text)


@pytest.mark.django_db
def test_a_file_that_cannot_be_read_is_named(path: Path) -> None:
    with pytest.raises(CommandError, match=r"catalogue.yaml cannot be read: No such file"):
        call_command("sync_deployments", str(path))

    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match="not UTF-8"):
        call_command("sync_deployments", str(path))


def test_settle_says_what_it_did(conversation: Conversation) -> None:
    generation = Generation.objects.get()
    long_ago = timezone.now() - timedelta(hours=1)
    Generation.objects.filter(pk=generation.pk).update(
        status=Generation.Status.RUNNING, attempt=1, heartbeat_at=long_ago, partial_text="Good"
    )
    output = io.StringIO()

    call_command("settle", stdout=output)
    call_command("settle", stdout=output)

    generation.refresh_from_db()
    assert generation.status == Generation.Status.INTERRUPTED
    assert output.getvalue().splitlines() == [
        "Ended 1, requeued 0, waiting 0.",
        "Ended 0, requeued 0, waiting 0.",
    ]


@pytest.mark.django_db(transaction=True)
def test_settle_without_redis_is_one_clear_line(conversation: Conversation) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": address_of_test_database(),
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }

    done = manage("settle", env=environment)

    assert done.returncode == 1
    assert done.stdout == "Ended 0, requeued 0, waiting 1.\n"
    assert "CommandError: Redis does not answer: no tickets were issued." in done.stderr
    assert "Traceback" not in done.stderr
