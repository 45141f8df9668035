"""What is said before anything is begun."""

from pathlib import Path

import pytest

from tests.cloud.arm_answers import refusal
from tests.cloud.arm_server import ArmServer
from tests.portal.infra.conftest import GROUP, Infra
from tests.portal.infra.small import MODEL

IMAGE = ("--set", "image=atrium:1")


def preflight(infra: Infra, *arguments: str) -> tuple[int, str]:
    """Exit status and what `validate` says."""
    ended = infra("validate", *IMAGE, *arguments)
    return ended.status, ended.out


def test_all_is_well(infra: Infra) -> None:
    status, said = preflight(infra)

    assert status == 0
    assert "0 problems, 0 that could not be looked up" in said
    assert "Azure takes the template: 8 resources" in said


def test_an_unregistered_provider_is_told_with_its_command(
    infra: Infra, arm_server: ArmServer
) -> None:
    arm_server.azure.unregistered.add("Microsoft.KeyVault")

    status, said = preflight(infra)

    assert status == 1
    assert "PROBLEM provider Microsoft.KeyVault: NotRegistered" in said
    assert "az provider register --namespace Microsoft.KeyVault --wait" in said


def test_a_region_without_the_service_is_told(infra: Infra) -> None:
    _, said = preflight(infra, "--location", "moonbase")

    assert "PROBLEM Microsoft.KeyVault/vaults: not offered in moonbase" in said


def test_an_api_version_that_is_not_there_yet_is_told(infra: Infra, main: Path) -> None:
    vault = main.parent / "modules" / "keyvault.json"
    vault.write_text(vault.read_text().replace("2026-02-01", "2099-01-01"))

    _, said = preflight(infra)

    assert "Microsoft.KeyVault/vaults: API version 2099-01-01 is not offered" in said


@pytest.mark.parametrize(
    ("version", "more", "text"),
    [
        ("1", {}, "model gpt-mini 2: not offered in westeurope; its versions there: 1"),
        ("2", {"sku": "Standard"}, "not offered as GlobalStandard"),
        ("2", {"limit": 150, "used": 100}, "capacity 100 of 50 left (GlobalStandard)"),
        ("2", {"state": "Deprecating"}, "is Deprecating and takes no new deployments"),
        ("2", {"retires": "2020-01-01T00:00:00Z"}, "is retired on 2020-01-01"),
    ],
)
def test_a_model_that_cannot_be_deployed_is_told(
    infra: Infra, arm_server: ArmServer, version: str, more: dict[str, object], text: str
) -> None:
    arm_server.azure.models.clear()
    arm_server.azure.usages.clear()
    arm_server.azure.add_model("gpt-mini", version, **more)

    status, said = preflight(infra)

    assert status == 1
    assert f"PROBLEM model gpt-mini 2: {text.removeprefix('model gpt-mini 2: ')}" in said


def test_a_model_that_is_deployed_already_needs_no_quota(
    infra: Infra, arm_server: ArmServer
) -> None:
    group = arm_server.azure.add_group(GROUP)["id"]
    account = f"{group}/providers/Microsoft.CognitiveServices/accounts/oai"
    arm_server.azure.add(account)
    arm_server.azure.add(
        f"{account}/deployments/{MODEL['name']}",
        sku={"capacity": MODEL["capacity"]},
        properties={"model": {"version": MODEL["version"]}},
    )
    arm_server.azure.usages[0]["limit"] = 0

    _, said = preflight(infra)

    assert "ok      model gpt-mini 2: is deployed already" in said


def test_a_deleted_account_that_holds_the_name_is_told(infra: Infra, arm_server: ArmServer) -> None:
    id_ = f"{arm_server.azure.path}/providers/Microsoft.CognitiveServices/locations/westeurope"
    arm_server.azure.deleted_accounts.append(
        {"id": f"{id_}/resourceGroups/{GROUP}/deletedAccounts/oai-atrium-1",
         "name": "oai-atrium-1", "location": "westeurope"}
    )  # fmt: skip

    ended = infra("validate", *IMAGE)

    assert "PROBLEM Azure OpenAI account oai-atrium-1: deleted" in ended.out
    assert "--name oai-atrium-1 --resource-group rg-atrium --location westeurope" in ended.out
    assert "FlagMustBeSetForRestore" in ended.error


def test_a_deleted_vault_of_another_group_is_no_problem(
    infra: Infra, arm_server: ArmServer
) -> None:
    vault = "resourceGroups/other/providers/Microsoft.KeyVault/vaults/kv-atrium-1"
    arm_server.azure.deleted_vaults.append(
        {"name": "kv-atrium-1", "properties": {"vaultId": f"{arm_server.azure.path}/{vault}"}}
    )

    status, said = preflight(infra)

    assert status == 0
    assert "ok      names" in said


def test_a_deleted_vault_of_this_group_is_told(infra: Infra, arm_server: ArmServer) -> None:
    vault = f"resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/kv-atrium-1"
    arm_server.azure.deleted_vaults.append(
        {"name": "kv-atrium-1",
         "properties": {"vaultId": f"{arm_server.azure.path}/{vault}",
                        "scheduledPurgeDate": "2027-01-02T03:04:05Z"}}
    )  # fmt: skip

    _, said = preflight(infra)

    assert "PROBLEM Key Vault kv-atrium-1: deleted, and kept until 2027-01-02" in said


def test_who_may_not_give_roles_is_told(infra: Infra, arm_server: ArmServer) -> None:
    arm_server.azure.not_actions.append("Microsoft.Authorization/*/write")

    status, said = preflight(infra)

    assert status == 1
    assert "PROBLEM permission: Microsoft.Authorization/roleAssignments/write is missing" in said


def test_locks_are_a_matter_of_production_only(infra: Infra, arm_server: ArmServer) -> None:
    arm_server.azure.not_actions.append("Microsoft.Authorization/locks/*")

    dev, _ = preflight(infra)
    prod, said = preflight(infra, "--set", "tier=prod")

    assert (dev, prod) == (0, 1)
    assert "PROBLEM permission: Microsoft.Authorization/locks/write is missing" in said


def test_postgres_without_zones_is_a_problem_for_production_only(
    infra: Infra, arm_server: ArmServer
) -> None:
    arm_server.azure.zone_redundant = False

    _, dev = preflight(infra)
    _, prod = preflight(infra, "--set", "tier=prod")

    assert "ok      PostgreSQL: may be made" in dev
    assert "PROBLEM PostgreSQL: has no zone-redundant standby" in prod


def test_a_private_gateway_needs_a_feature(infra: Infra, arm_server: ArmServer) -> None:
    private = ("--set", "exposure=gateway", "--set", "gatewayFrontend=private")

    _, before = preflight(infra, *private)
    arm_server.azure.features.add("EnableApplicationGatewayNetworkIsolation")
    _, after = preflight(infra, *private)

    assert "PROBLEM feature EnableApplicationGatewayNetworkIsolation: NotRegistered" in before
    assert "ok      feature EnableApplicationGatewayNetworkIsolation: registered" in after


def test_what_is_brought_along_is_looked_for(infra: Infra, arm_server: ArmServer) -> None:
    network = f"{arm_server.azure.path}/resourceGroups/net/providers/Microsoft.Network"
    subnets = f"{network}/virtualNetworks/hub/subnets"
    arm_server.azure.add(f"{subnets}/web")
    given = f'{{"web": "{subnets}/web", "work": "{subnets}/work"}}'

    status, said = preflight(infra, "--set", f"existingSubnetIds={given}")

    assert status == 1
    assert "ok      existingSubnetIds.web: is there, in net" in said
    assert "PROBLEM existingSubnetIds.work:" in said


def test_what_cannot_be_looked_up_stops_nothing(infra: Infra, arm_server: ArmServer) -> None:
    forbidden = refusal(403, "AuthorizationFailed", "may not read quotas")
    arm_server.answer_next("GET", "/usages$", forbidden)

    status, said = preflight(infra)

    assert status == 0
    assert "unknown models: could not be looked up (AuthorizationFailed: may not read" in said


def test_offline_asks_nothing(infra: Infra, arm_server: ArmServer, tmp_path: Path) -> None:
    written = tmp_path / "whole.json"

    ended = infra("validate", *IMAGE, "--offline", "--write", str(written))

    assert ended.status == 0
    assert "3 modules" in ended.out
    assert '"scope": "inner"' in written.read_text()
    assert arm_server.log == []
