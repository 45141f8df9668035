"""The evaluator's handling of templates: loops, conditions, order, nested deployments, outputs."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.arm.evaluate import SUBSCRIPTION, Evaluated, TemplateError, evaluate
from tests.arm.parameters import read_file

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-atrium"
VAULTS = f"{GROUP}/providers/Microsoft.KeyVault/vaults"
INNER = {"expressionEvaluationOptions": {"scope": "Inner"}, "mode": "Incremental"}


def vault(name: str, **parts: Any) -> dict[str, Any]:
    """A small resource."""
    return {
        "type": "Microsoft.KeyVault/vaults",
        "apiVersion": "2026-02-01",
        "name": name,
        "properties": {},
        **parts,
    }


def nested(name: str, template: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A deployment inside a template."""
    given = parts.pop("parameters", {})
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": name,
        "properties": {**INNER, "template": template, "parameters": given},
        **parts,
    }


def run(*resources: dict[str, Any], given: dict[str, Any] | None = None, **parts: Any) -> Evaluated:
    """The evaluation of a template with these resources."""
    return evaluate({"resources": list(resources), **parts}, given or {})


def test_default_value_of_a_parameter_may_name_another() -> None:
    parameters = {
        "a": {"type": "string"},
        "b": {"type": "string", "defaultValue": "[concat(parameters('a'), '2')]"},
    }

    found = run(vault("[parameters('b')]"), parameters=parameters, given={"a": "x"})

    assert [resource.id for resource in found.resources] == [f"{VAULTS}/x2"]


@pytest.mark.parametrize(
    ("declared", "given", "reason"),
    [
        ({"type": "string"}, {}, "without a value"),
        ({"type": "string", "defaultValue": ""}, {"q": 1}, "does not know"),
        ({"type": "string"}, {"p": 1}, "must be string"),
        ({"type": "int"}, {"p": True}, "must be int"),
        ({"type": "securestring"}, {"p": None}, "must be securestring"),
        ({"type": "string", "allowedValues": ["a"]}, {"p": "b"}, "none of"),
        ({"type": "string", "minLength": 3}, {"p": "ab"}, "minLength"),
        ({"type": "array", "maxLength": 1}, {"p": [1, 2]}, "maxLength"),
        ({"type": "int", "maxValue": 3}, {"p": 4}, "maxValue"),
        ({"type": "int", "minValue": 3}, {"p": 2}, "minValue"),
        ({"type": "string", "defaultValue": "[parameters('p')]"}, {}, "needs itself"),
    ],
)
def test_parameter_that_azure_would_refuse(
    declared: dict[str, Any], given: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TemplateError, match=reason):
        run(parameters={"p": declared}, given=given)


def test_resource_with_a_false_condition_is_left_out_and_waited_for_by_nobody() -> None:
    first = vault("first", condition="[equals(1, 2)]")

    found = run(first, vault("second", dependsOn=[f"{VAULTS}/first", "third"]), vault("third"))

    assert [resource.name for resource in found.resources] == ["second", "third"]
    assert found.resources[0].depends_on == (f"{VAULTS}/third",)


def test_unused_expressions_are_evaluated_too() -> None:
    left_out = vault("v", condition=False, properties={"x": "[split('', '/')[8]]"})

    with pytest.raises(TemplateError, match="there is no 8"):
        run(left_out)
    with pytest.raises(TemplateError, match="there is no 8"):
        run(variables={"unused": "[split('', '/')[8]]"})


def test_serial_loop_waits_batch_by_batch() -> None:
    loop = {"name": "loop", "count": 5, "mode": "serial", "batchSize": 2}

    found = run(vault("[concat('v', copyIndex())]", copy=loop), vault("after", dependsOn=["loop"]))

    waits = {one.name: [id_[-2:] for id_ in one.depends_on] for one in found.resources}
    assert waits == {
        "v0": [],
        "v1": [],
        "v2": ["v0", "v1"],
        "v3": ["v0", "v1"],
        "v4": ["v2", "v3"],
        "after": ["v0", "v1", "v2", "v3", "v4"],
    }


def test_nameless_index_in_a_property_loop_is_that_of_the_resource() -> None:
    inner = {
        "name": "list",
        "count": 2,
        "input": "[format('{0}{1}', copyIndex(), copyIndex('list'))]",
    }
    loop = {"name": "loop", "count": 2}

    found = run(vault("[concat('v', copyIndex())]", copy=loop, properties={"copy": [inner]}))

    assert [one.properties["list"] for one in found.resources] == [["00", "01"], ["10", "11"]]
    with pytest.raises(TemplateError, match="outside the loop"):
        run(vault("v", properties={"copy": [{**inner, "input": "[copyIndex()]"}]}))


def test_loop_of_no_turns_can_be_waited_for() -> None:
    found = run(
        vault("[concat('v', copyIndex())]", copy={"name": "loop", "count": 0}),
        vault("after", dependsOn=["loop"]),
    )

    assert [(one.name, one.depends_on) for one in found.resources] == [("after", ())]


def test_child_resources_carry_the_type_and_name_of_their_parent() -> None:
    child = {
        "type": "secrets",
        "apiVersion": "2026-02-01",
        "name": "s",
        "dependsOn": [f"{VAULTS}/v"],
        "properties": {"value": "[resourceId('Microsoft.KeyVault/vaults/secrets', 'v', 's')]"},
    }

    found = run(vault("v", resources=[child]))

    secret = found.get(f"{VAULTS}/v/secrets/s")
    assert secret is not None
    assert (secret.type, secret.name) == ("Microsoft.KeyVault/vaults/secrets", "v/s")
    assert secret.properties == {"value": f"{VAULTS}/v/secrets/s"}
    assert "resources" not in found.resources[0].body


def test_extension_resource_has_its_scope_in_its_id() -> None:
    lock = {
        "type": "Microsoft.Authorization/locks",
        "apiVersion": "2020-05-01",
        "name": "keep",
        "scope": "Microsoft.KeyVault/vaults/v",
        "properties": {},
    }

    found = run(vault("v"), lock)

    assert found.resources[1].id == f"{VAULTS}/v/providers/Microsoft.Authorization/locks/keep"


def test_reference_tells_what_azure_gives_and_is_noted() -> None:
    reader = vault(
        "reader",
        properties={
            "uri": "[reference('v').vaultUri]",
            "own": "[reference(resourceId('Microsoft.KeyVault/vaults', 'v'), '', 'Full').tags.a]",
        },
    )

    found = run(vault("v", tags={"a": "b"}), reader)

    read = found.resources[1]
    assert read.properties == {"uri": "https://v.vault.azure.net/", "own": "b"}
    assert read.references == (f"{VAULTS}/v",)


def test_reference_to_something_outside_needs_a_version() -> None:
    target = "resourceId('other', 'Microsoft.KeyVault/vaults', 'old')"

    found = run(vault("v", tags={"uri": f"[reference({target}, '2026-02-01').vaultUri]"}))

    assert found.resources[0].body["tags"] == {"uri": "https://old.vault.azure.net/"}
    with pytest.raises(TemplateError, match="no version"):
        run(vault("v", tags={"uri": f"[reference({target}).vaultUri]"}))


def test_reference_to_what_is_not_deployed_is_an_error() -> None:
    with pytest.raises(TemplateError, match="condition is false"):
        run(
            vault("a", condition=False),
            outputs={"x": {"type": "object", "value": "[reference('a')]"}},
        )


def test_nested_deployment_has_names_of_its_own_and_gives_outputs() -> None:
    inner = {
        "parameters": {"name": {"type": "string"}},
        "resources": [vault("[parameters('name')]")],
        "outputs": {"n": {"type": "string", "value": "[parameters('name')]"}},
    }
    outer = nested("d", inner, parameters={"name": {"value": "[concat('v', '1')]"}})

    found = run(
        vault("after", tags={"n": "[reference('d').outputs.n.value]"}, dependsOn=["d"]), outer
    )

    vault_, after, deployment = found.resources
    assert after.body["tags"] == {"n": "v1"}
    assert after.depends_on == (deployment.id,)
    assert (vault_.name, vault_.deployment) == ("v1", deployment.id)


def test_nested_deployment_may_go_to_another_group() -> None:
    inner = {"resources": [vault("v", tags={"group": "[resourceGroup().name]"})]}

    found = run(nested("d", inner, resourceGroup="other"))

    assert "/resourceGroups/other/providers/Microsoft.KeyVault/" in found.resources[1].id
    assert found.resources[1].body["tags"] == {"group": "other"}


def test_relative_links_are_followed_from_the_file_they_stand_in(tmp_path: Path) -> None:
    def link(name: str, path: str) -> dict[str, Any]:
        properties = {"mode": "Incremental", "templateLink": {"relativePath": path}}
        return {**nested(name, {}), "properties": properties}

    (tmp_path / "modules").mkdir()
    first = {"resources": [link("second", "second.json")]}
    (tmp_path / "modules/first.json").write_text(json.dumps(first))
    (tmp_path / "modules/second.json").write_text(json.dumps({"resources": [vault("v")]}))

    found = evaluate({"resources": [link("first", "modules/first.json")]}, {}, folder=tmp_path)

    assert [one.name for one in found.resources] == ["first", "second", "v"]


@pytest.mark.parametrize(
    ("resources", "reason"),
    [
        ([vault("a", dependsOn=["b"])], "depends on b, which the template lacks"),
        ([vault("a", dependsOn=["a"])], "depends on itself"),
        ([vault("a"), vault("a")], "declared twice"),
        ([vault("a", condition="yes")], "condition of a"),
        ([nested("d", {}, properties={"template": {}, "mode": "Incremental"})], "scope Inner"),
        ([nested("d", {"parameters": {"p": {"type": "int"}}})], "without a value"),
        ([vault("a", properties="[reference('a')]")], "needs itself"),
    ],
)
def test_template_that_azure_would_refuse(resources: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        run(*resources)


def test_outputs_have_conditions_loops_and_types() -> None:
    outputs = {
        "yes": {"type": "string", "value": "a"},
        "no": {"type": "string", "condition": False, "value": "[reference('lacking').x]"},
        "list": {"type": "array", "copy": {"count": 2, "input": "[copyIndex()]"}},
    }

    found = run(outputs=outputs)

    assert found.outputs == {"yes": "a", "list": [0, 1]}
    assert found.output_types == {"yes": "string", "list": "array"}
    with pytest.raises(TemplateError, match="must be int"):
        run(outputs={"x": {"type": "int", "value": "a"}})


def test_parameter_file_says_what_comes_from_a_vault(tmp_path: Path) -> None:
    entries = {"a": {"value": 1}, "b": {"reference": {"keyVault": {"id": "x"}, "secretName": "s"}}}
    path = tmp_path / "x.parameters.json"
    path.write_text(json.dumps({"parameters": entries}))

    assert read_file(path) == {"a": 1, "b": "<from the vault for b>"}
