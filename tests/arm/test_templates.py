"""The files: parameter files that fit, names that Azure takes, one template out of many."""

import json
import re
from typing import Any

import pytest

from portal.infra.bundle import build
from tests.arm.evaluate import FOLDER, evaluate
from tests.arm.expressions import is_expression
from tests.arm.flat import flat
from tests.arm.parameters import read_file
from tests.arm.rules.facts import walk
from tests.arm.scenarios import SCENARIOS, parameters, scenario, template

FILES = sorted(path.name for path in FOLDER.glob("*.parameters.json"))
MODULES = sorted(path.name for path in (FOLDER / "modules").glob("*.json"))
# Lengths and characters: Microsoft, articles/azure-resource-manager/management/
# resource-name-rules.md. Of a child the last part counts.
NAMES = {
    "Microsoft.Cache/redisEnterprise": r"[a-zA-Z0-9-]{1,60}",
    "Microsoft.CognitiveServices/accounts": r"[a-zA-Z0-9][a-zA-Z0-9-]{1,63}",
    "Microsoft.Compute/virtualMachines": r"[a-zA-Z0-9-]{1,64}",
    "Microsoft.ContainerRegistry/registries": r"[a-zA-Z0-9]{5,50}",
    "Microsoft.DBforPostgreSQL/flexibleServers": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "Microsoft.Insights/actionGroups": r"[^#<>%&:?/*]{1,260}",
    "Microsoft.KeyVault/vaults": r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "Microsoft.KeyVault/vaults/secrets": r"[a-zA-Z0-9-]{1,127}",
    "Microsoft.ManagedIdentity/userAssignedIdentities": r"[a-zA-Z0-9][\w-]{2,127}",
    "Microsoft.Network/applicationGateways": r"[a-zA-Z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/networkSecurityGroups": r"[a-zA-Z0-9][\w.-]{0,78}\w",
    "Microsoft.Network/privateEndpoints": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Microsoft.Network/virtualNetworks": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Microsoft.OperationalInsights/workspaces": r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]",
    "Microsoft.Resources/deployments": r"[\w.()-]{1,64}",
    "Microsoft.Web/serverfarms": r"[a-zA-Z0-9-]{1,60}",
    "Microsoft.Web/sites": r"[a-zA-Z0-9-]{2,60}",
}


@pytest.mark.parametrize("file", FILES)
def test_parameter_file_names_known_parameters_and_gives_all_that_are_needed(file: str) -> None:
    declared, given = template()["parameters"], read_file(FOLDER / file)

    needed = {name for name, entry in declared.items() if "defaultValue" not in entry}

    assert given.keys() <= declared.keys()
    assert needed <= given.keys()


@pytest.mark.parametrize("file", FILES)
def test_parameter_file_holds_no_secret(file: str) -> None:
    secret = {
        name
        for name, entry in template()["parameters"].items()
        if entry["type"].lower().startswith("secure")
    }

    assert not secret & read_file(FOLDER / file).keys()


def test_every_scenario_file_is_held_against_the_rules() -> None:
    assert {f"{file}.parameters.json" for file, _ in SCENARIOS.values()} == set(FILES)


@pytest.mark.parametrize("module", MODULES)
def test_module_is_used_short_and_says_what_its_parameters_are(module: str) -> None:
    text = (FOLDER / "modules" / module).read_text(encoding="utf-8")
    others = [path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.json")]
    declared = json.loads(text)["parameters"]

    described = {name for name, entry in declared.items() if entry["metadata"]["description"]}

    assert any(module in other for other in others)
    assert described == declared.keys()
    assert len(text.splitlines()) <= 400


@pytest.mark.parametrize("file", ["main.json", *(f"modules/{name}" for name in MODULES)])
def test_every_parameter_and_variable_is_used(file: str) -> None:
    text = (FOLDER / file).read_text(encoding="utf-8")
    parsed = json.loads(text)
    variables = parsed.get("variables", {})

    names = [f"parameters('{name}')" for name in parsed["parameters"]]
    names += [f"variables('{name}')" for name in variables if name != "copy"]
    names += [f"variables('{loop['name']}')" for loop in variables.get("copy", [])]

    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_azure_takes_every_name(name: str) -> None:
    wrong = [
        f"{one.type} {one.name}"
        for one in scenario(name).resources
        if one.type in NAMES and not re.fullmatch(NAMES[one.type], one.name.rpartition("/")[2])
    ]

    assert wrong == []


def bare(resources: list[Any]) -> list[Any]:
    """Resources without the link or template that a deployment was made from."""
    found = []
    for one in resources:
        body = {**one.body}
        if one.type == "Microsoft.Resources/deployments":
            body["properties"] = {
                key: value for key, value in body["properties"].items() if key == "parameters"
            }
        found.append((one.id, one.api_version, body, one.depends_on, one.deployment))
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_is_left_to_evaluate(name: str) -> None:
    texts = [text for _, text in walk(flat(scenario(name))) if isinstance(text, str)]

    assert [text for text in texts if is_expression(text)] == []


@pytest.mark.parametrize("name", ["private-dev", "gateway-prod", "bring-your-own-dev"])
def test_self_contained_template_deploys_the_same(name: str) -> None:
    linked = scenario(name)

    whole = evaluate(build(FOLDER / "main.json"), parameters(name))

    assert "relativePath" not in json.dumps(build(FOLDER / "main.json"))
    assert bare(whole.resources) == bare(linked.resources)
    assert whole.outputs == linked.outputs
