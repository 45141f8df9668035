"""`manage.py infra deploy`, what-if, outputs and destroy against a real server."""

import json
from pathlib import Path

import pytest

from portal.infra import arm as arm_module
from portal.infra import history
from portal.infra.arm import Arm
from tests.cloud.arm_answers import error, refusal
from tests.cloud.arm_server import ArmServer
from tests.portal.infra import small
from tests.portal.infra.conftest import GROUP, Infra

IMAGE = ("--set", "image=atrium:1")
OPERATIONS = "/deployments/[^/]+/operations$"
KEY = "Microsoft.KeyVault/vaults/secrets"


def secret_key(server: ArmServer) -> str:
    """What the vault holds."""
    kept = [one for one in server.azure.resources.values() if one["type"] == KEY]
    return str(kept[0]["properties"]["value"]) if kept else ""


# ── Deploying ──────────────────────────────────────────────────────────────────────────────────
def test_a_deployment_is_shown_from_first_look_to_outputs(
    infra: Infra, arm_server: ArmServer
) -> None:
    ended = infra("deploy", *IMAGE)

    assert ended.status == 0, ended.error
    positions = [ended.out.index(text) for text in (
        "rg-atrium (exists), westeurope", "Preflight", "Azure takes the template",
        "+ 5 to create", "done      Microsoft.CognitiveServices/accounts  oai-atrium-1",
        "done      Microsoft.Web/sites  app-atrium-web", "Done.",
        "publicUrl         https://chat.example.org",
    )]  # fmt: skip
    assert positions == sorted(positions)
    assert any("kv-atrium-1" in id_ for id_ in arm_server.azure.resources)


def test_a_dry_run_changes_nothing(infra: Infra, arm_server: ArmServer) -> None:
    ended = infra("deploy", *IMAGE, "--dry-run")

    assert ended.status == 0, ended.error
    assert "Dry run: nothing was changed." in ended.out
    assert "+ Microsoft.KeyVault/vaults  kv-atrium-1" in ended.out
    assert arm_server.changes == []


def test_a_dry_run_for_a_group_that_is_not_there_makes_none(
    infra: Infra, arm_server: ArmServer
) -> None:
    ended = infra("deploy", *IMAGE, "--dry-run", "-g", "rg-new", "--location", "westeurope")

    assert ended.status == 0, ended.error
    assert "+ Microsoft.Resources/resourceGroups  rg-new, in westeurope" in ended.out
    assert arm_server.changes == []


def test_a_group_that_is_not_there_is_made_where_one_says(
    infra: Infra, arm_server: ArmServer
) -> None:
    unsaid = infra("deploy", *IMAGE, "-g", "rg-new")
    said = infra("deploy", *IMAGE, "-g", "rg-new", "--location", "westeurope")

    assert (unsaid.status, said.status) == (1, 0)
    assert "say where: --location REGION" in unsaid.error
    assert arm_server.azure.groups["rg-new"]["location"] == "westeurope"


def test_problems_stop_a_deployment_unless_one_insists(infra: Infra, arm_server: ArmServer) -> None:
    arm_server.azure.usages[0]["limit"] = 1

    stopped = infra("deploy", *IMAGE)
    insisted = infra("deploy", *IMAGE, "--despite-problems")

    assert stopped.status == 1
    assert "1 problem stands in the way" in stopped.error
    assert insisted.status == 0


def test_what_azure_refuses_is_not_begun(infra: Infra, arm_server: ArmServer) -> None:
    policy = error(
        "RequestDisallowedByPolicy", "Resource 'kv' was disallowed by policy 'no-vaults'"
    )
    arm_server.azure.refused = policy

    ended = infra("deploy", *IMAGE)

    assert ended.status == 1
    assert "RequestDisallowedByPolicy: Resource 'kv' was disallowed" in ended.error
    assert "Cause: An Azure Policy of your organisation forbids it." in ended.error
    assert arm_server.requests("PUT") == []


# ── What is kept ───────────────────────────────────────────────────────────────────────────────
def test_the_secret_key_is_made_once_and_shown_never(infra: Infra, arm_server: ArmServer) -> None:
    first = infra("deploy", *IMAGE)
    made = secret_key(arm_server)
    second = infra("deploy", *IMAGE)

    assert len(made) >= 50
    assert secret_key(arm_server) == made
    assert "secret-key in kv-atrium-1 is kept" in second.out
    assert made not in first.out + first.error + second.out + second.error


def test_no_secret_is_in_the_history(infra: Infra, arm_server: ArmServer) -> None:
    infra("deploy", *IMAGE, "--set", "emailUrl=smtp+tls://me:hidden@relay:587")

    with Arm(arm_server.azure.subscription) as arm:
        told = json.dumps(arm.deployments(GROUP))
    assert "hidden" not in told
    assert secret_key(arm_server) not in told


def test_the_image_that_runs_is_kept_whatever_a_file_says(
    infra: Infra, arm_server: ArmServer, tmp_path: Path
) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"parameters": {"image": {"value": "atrium:1"}}}))
    infra("deploy", "--set", "image=atrium:2")

    kept = infra("deploy", "--parameters", str(file))
    changed = infra("deploy", "--parameters", str(file), "--set", "image=atrium:3")

    assert "image: atrium:2 runs and is kept (the parameter file says atrium:1;" in kept.out
    assert "image             atrium:2" in kept.out
    assert "image             atrium:3" in changed.out


# ── Failing ────────────────────────────────────────────────────────────────────────────────────
def test_a_failure_in_a_module_is_told_with_its_cause(infra: Infra, arm_server: ArmServer) -> None:
    busy = error("AccountProvisioningStateInvalid", "Account oai-atrium-1 in state Accepted")
    arm_server.azure.failing["Microsoft.Network/privateEndpoints"] = busy

    ended = infra("deploy", *IMAGE)

    assert ended.status == 1
    assert "FAILED    Microsoft.Network/privateEndpoints  pep-atrium-openai" in ended.out
    assert "AccountProvisioningStateInvalid: Account oai-atrium-1 in state" in ended.error
    assert "Cause: The Azure OpenAI account is still busy" in ended.error
    assert "Do:    Run `infra deploy` again" in ended.error
    assert "Microsoft.Web/sites" not in ended.out.partition("Deployment atrium-main")[2]


def test_after_a_failure_it_goes_on_from_there(infra: Infra, arm_server: ArmServer) -> None:
    arm_server.azure.failing["Microsoft.Web/sites"] = error("SkuNotAvailable", "no P0v3 here")
    infra("deploy", *IMAGE)
    arm_server.azure.failing.clear()

    again = infra("deploy", *IMAGE)

    assert again.status == 0
    assert "+ 1 to create, ~ 0 to change, - 0 to delete, = 3 unchanged" in again.out


def test_a_lost_connection_in_the_middle_is_waited_for(
    infra: Infra, arm_server: ArmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_module, "CONNECTION_RETRIES", 0)  # so that it is our turn to wait
    arm_server.answer_next("GET", OPERATIONS, None, times=3)

    ended = infra("deploy", *IMAGE)

    assert ended.status == 0, ended.error
    assert ended.out.index("no answer from Azure") < ended.out.index("Azure answers again")
    assert "done      Microsoft.Web/sites  app-atrium-web" in ended.out


def test_throttling_in_the_middle_is_waited_for(infra: Infra, arm_server: ArmServer) -> None:
    slow_down = refusal(429, "TooManyRequests", "slow down", Retry_After="1")
    arm_server.answer_next("GET", OPERATIONS, slow_down)

    assert infra("deploy", *IMAGE).status == 0


def test_a_sign_in_that_ends_in_the_middle_says_what_goes_on(
    infra: Infra, arm_server: ArmServer
) -> None:
    expired = refusal(401, "ExpiredAuthenticationToken", "The access token has expired.")
    arm_server.answer_next("GET", OPERATIONS, expired)

    ended = infra("deploy", *IMAGE)

    assert ended.status == 1
    assert "Do:    Sign in again: az login" in ended.error
    assert "goes on in Azure" in ended.error
    assert "--follow" in ended.error


def test_short_lived_tokens_are_renewed_all_the_way(
    infra: Infra, arm_server: ArmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_server.identity, "life_seconds", 2.0)
    arm_server.azure.pace_seconds = 0.7

    ended = infra("deploy", *IMAGE)

    assert ended.status == 0, ended.error
    assert arm_server.refused_tokens == 0


# ── One at a time ──────────────────────────────────────────────────────────────────────────────
def begin(server: ArmServer, main: Path) -> None:
    """A deployment that takes its time, begun by somebody else."""
    template = small.template([small.VAULT], {"location": small.LOCATION})
    server.azure.pace_seconds = 30
    with Arm(server.azure.subscription) as arm:
        arm.begin(GROUP, history.new_name(), {"mode": "Incremental", "template": template})


def test_a_second_deployment_is_refused_while_one_runs(
    infra: Infra, arm_server: ArmServer, main: Path
) -> None:
    begin(arm_server, main)

    ended = infra("deploy", *IMAGE)

    assert ended.status == 1
    assert "is still running" in ended.error
    assert "--cancel" in ended.error


def test_the_one_that_runs_is_cancelled(infra: Infra, arm_server: ArmServer, main: Path) -> None:
    begin(arm_server, main)

    ended = infra("deploy", "--cancel")

    assert ended.status == 0
    assert "is cancelled: nothing more begins" in ended.out
    assert arm_server.requests("POST", "/cancel$")


@pytest.mark.parametrize("option", ["--follow", "--cancel"])
def test_where_none_runs_there_is_nothing_to_watch(infra: Infra, option: str) -> None:
    ended = infra("deploy", option)

    assert ended.status == 1
    assert "No deployment is running in rg-atrium" in ended.error


# ── What-if ────────────────────────────────────────────────────────────────────────────────────
def test_what_if_tells_what_would_change(infra: Infra, arm_server: ArmServer, main: Path) -> None:
    infra("deploy", *IMAGE)
    vault = main.parent / "modules" / "keyvault.json"
    vault.write_text(vault.read_text().replace("30", "90"))

    ended = infra("what-if", *IMAGE, "--exit-code")

    assert ended.status == 3
    assert "~ Microsoft.KeyVault/vaults  kv-atrium-1" in ended.out
    assert "properties.softDeleteRetentionInDays: 30 → 90" in ended.out


def test_what_if_without_changes_ends_well(infra: Infra) -> None:
    infra("deploy", *IMAGE)

    ended = infra("what-if", "--exit-code")

    assert ended.status == 0, ended.error
    assert "+ 0 to create, ~ 0 to change, - 0 to delete, = 4 unchanged" in ended.out


def test_what_if_for_machines_is_json_alone(infra: Infra) -> None:
    ended = infra("what-if", *IMAGE, "--json")

    changes = json.loads(ended.out)
    assert {one["change"] for one in changes} == {"+"}
    assert "Resource group" in ended.error


# ── Outputs ────────────────────────────────────────────────────────────────────────────────────
def test_outputs_are_those_of_the_last_success(infra: Infra, arm_server: ArmServer) -> None:
    infra("deploy", *IMAGE)
    arm_server.azure.failing["Microsoft.Web/sites"] = error("SkuNotAvailable", "no")
    infra("deploy", "--set", "image=atrium:2")

    table, env = infra("outputs"), infra("outputs", "--env")
    machine = infra("outputs", "--json")

    assert "image      atrium:1" in table.out
    assert "PUBLIC_URL=https://chat.example.org" in env.out.splitlines()
    assert json.loads(machine.out) == {"publicUrl": "https://chat.example.org", "image": "atrium:1"}


def test_outputs_of_nothing_are_refused(infra: Infra) -> None:
    ended = infra("outputs")

    assert ended.status == 1
    assert "No deployment has succeeded in the resource group rg-atrium yet" in ended.error


def test_a_wrong_group_is_told(infra: Infra) -> None:
    ended = infra("outputs", "-g", "rg-other")

    assert ended.status == 1
    assert "ResourceGroupNotFound" in ended.error
    assert "az group list" in ended.error


# ── Destroying ─────────────────────────────────────────────────────────────────────────────────
def test_destroy_tells_what_goes_and_what_stays(infra: Infra, arm_server: ArmServer) -> None:
    infra("deploy", *IMAGE)
    disk = f"{arm_server.azure.path}/resourceGroups/{GROUP}/providers/Microsoft.Compute/disks/own"
    arm_server.azure.add(disk)

    ended = infra("destroy", "--dry-run")

    assert ended.status == 0
    assert "-   1 Microsoft.KeyVault/vaults" in ended.out
    assert "not made by Atrium's template:\n  Microsoft.Compute/disks  own" in ended.out
    assert "oai-atrium-1: kept 48 hours" in ended.out
    assert "kv-atrium-1: kept 30 days" in ended.out
    assert GROUP in arm_server.azure.groups


def test_destroy_deletes_the_group(infra: Infra, arm_server: ArmServer) -> None:
    infra("deploy", *IMAGE)

    ended = infra("destroy", "--yes")

    assert ended.status == 0, ended.error
    assert "rg-atrium is deleted." in ended.out
    assert arm_server.azure.groups == {}


def test_a_lock_stands_in_the_way(infra: Infra, arm_server: ArmServer) -> None:
    infra("deploy", *IMAGE)
    group = arm_server.azure.groups[GROUP]["id"]
    vault = f"{group}/providers/Microsoft.KeyVault/vaults/kv-atrium-1"
    lock = arm_server.azure.add(f"{vault}/providers/Microsoft.Authorization/locks/keep")

    ended = infra("destroy", "--yes")

    assert ended.status == 1
    assert f"az lock delete --ids {lock['id']}" in ended.error
    assert GROUP in arm_server.azure.groups


def test_a_group_that_is_not_ours_is_never_deleted(infra: Infra, arm_server: ArmServer) -> None:
    ended = infra("destroy", "--yes")

    assert ended.status == 1
    assert "Nothing in rg-atrium was deployed by `infra deploy`" in ended.error
    assert arm_server.changes == []
