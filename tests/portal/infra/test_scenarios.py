"""Every scenario of infra/arm, looked at and deployed as an operator would."""

import pytest

from portal.management.commands.infra import MAIN
from tests.arm.evaluate import FOLDER
from tests.cloud.arm_server import ArmServer, prepare
from tests.portal.infra.conftest import Infra

SCENARIOS = sorted(FOLDER.glob("*.parameters.json"))
OURS = ("--template", str(FOLDER / "main.json"))


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda one: one.name.partition(".")[0])
def test_a_dry_run_finds_no_problem_and_changes_nothing(
    infra: Infra, arm_server: ArmServer, file: object
) -> None:
    prepare(arm_server.azure)

    ended = infra("deploy", *OURS, "--parameters", str(file), "--dry-run")

    assert ended.status == 0, ended.error
    assert "0 problems, 0 that could not be looked up" in ended.out
    assert "~ 0 to change, - 0 to delete" in ended.out
    assert arm_server.changes == []


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda one: one.name.partition(".")[0])
def test_a_second_deployment_changes_nothing(
    infra: Infra, arm_server: ArmServer, file: object
) -> None:
    prepare(arm_server.azure)
    first = infra("deploy", *OURS, "--parameters", str(file))

    again = infra("what-if", *OURS, "--parameters", str(file), "--exit-code")

    assert first.status == 0, first.error
    assert again.status == 0, again.out


def test_a_missing_mail_server_is_said_until_the_vault_has_one(
    infra: Infra, arm_server: ArmServer
) -> None:
    prepare(arm_server.azure)
    told = (*OURS, "--parameters", str(FOLDER / "scenario1-private.parameters.json"))
    server = "smtp+tls://u:hunter2@mail.example:587"

    without = infra("deploy", *told, "--dry-run")
    given = infra("deploy", *told, "--set", f"emailUrl={server}")
    later = infra("deploy", *told, "--dry-run")

    assert "emailUrl: MISSING: the portal does not start without it" in without.out
    assert given.status == 0, given.error
    assert "hunter2" not in given.out + given.error
    assert "email-url in kv-atrium-" in later.out


def test_a_disk_that_has_grown_keeps_its_size(infra: Infra, arm_server: ArmServer) -> None:
    prepare(arm_server.azure)
    told = (*OURS, "--parameters", str(FOLDER / "scenario1-private.parameters.json"))
    assert infra("deploy", *told).status == 0
    server = next(id_ for id_ in arm_server.azure.resources if "/flexibleservers/psql-" in id_)
    server = server.partition("/databases")[0]
    arm_server.azure.resources[server]["properties"]["storage"]["storageSizeGB"] = 256

    ended = infra("what-if", *told)

    assert "postgresStorageGb: 256, which the disk has grown to" in ended.out
    assert "~ 0 to change" in ended.out


def test_a_deployment_without_a_parameter_file_is_refused(
    infra: Infra, arm_server: ArmServer
) -> None:
    ended = infra("deploy", "--template", str(MAIN))

    assert ended.status == 1
    assert "Give --parameters" in ended.error
    assert arm_server.log == []
