"""The evaluator's functions, against the examples of Microsoft's function reference.

learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-* (array, object,
string, logical, numeric, comparison, resource, cidr).
"""

import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.arm.deployments import Deployment
from tests.arm.evaluate import TemplateError
from tests.arm.ids import Place
from tests.arm.interpreter import Scope

PLACE = Place("99999999-0000-4000-8000-000000000000", "rg-atrium", "westeurope")
OBJECT = {"one": "a", "two": ["x", "y"], "It's": {"deep": [{"end": 7}]}}


def value(expression: Any, **parameters: Any) -> Any:
    """What a piece of JSON evaluates to, with these parameters and some variables."""
    types = {str: "string", bool: "bool", int: "int", list: "array", dict: "object"}
    template = {
        "parameters": {name: {"type": types[type(item)]} for name, item in parameters.items()},
        "variables": {
            "object": OBJECT,
            "copy": [
                {"name": "names", "count": 3, "input": "[format('n{0}', copyIndex('names'))]"}
            ],
            "inner": {
                "copy": [{"name": "even", "count": 2, "input": "[mul(copyIndex('even'), 2)]"}]
            },
        },
        "resources": [],
    }
    deployment = Deployment(
        template, parameters, name="t", id_="", place=PLACE, folder=Path(), world={}
    )
    return Scope(deployment).value(expression)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        # strings
        ("[concat('prefix', '-', 'end')]", "prefix-end"),
        ("[concat(createArray('1-1', '1-2'), createArray('2-1'))]", ["1-1", "1-2", "2-1"]),
        ("[format('{0}, {1}. Formatted number: {2:D4}', 'Hello', 'User', 8)]",
         "Hello, User. Formatted number: 0008"),
        ("[format('{{{0}}}', 'x')]", "{x}"),
        ("[replace('123-123-1234', '-', '')]", "1231231234"),
        ("[split('one,two,three', ',')]", ["one", "two", "three"]),
        ("[split('one;two,three', createArray(';', ','))]", ["one", "two", "three"]),
        ("[join(createArray('one', 'two'), ',')]", "one,two"),
        ("[substring('one two three', 4, 3)]", "two"),
        ("[take('one two three', 2)]", "on"),
        ("[skip('one two three', 4)]", "two three"),
        ("[take(createArray('a', 'b', 'c'), 2)]", ["a", "b"]),
        ("[toLower('One Two')]", "one two"),
        ("[padLeft('123', 10, '0')]", "0000000123"),
        ("[startsWith('abcdef', 'AB')]", True),
        ("[endsWith('abcdef', 'e')]", False),
        ("[indexOf('abcdef', 'CD')]", 2),
        ("[lastIndexOf('test', 't')]", 3),
        ("[string(createObject('a', 1, 'b', createArray(true())))]", '{"a":1,"b":[true]}'),
        ("[trim('   one two   ')]", "one two"),
        ("[base64ToString(base64('one, two'))]", "one, two"),
        ("[uriComponent('http://contoso.com/a b')]", "http%3A%2F%2Fcontoso.com%2Fa%20b"),
        ("[first('One Two')]", "O"),
        # arrays and objects
        ("[array('a')]", ["a"]),
        ("[contains('OneTwoThree', 'e')]", True),
        ("[contains(createObject('one', 'a'), 'One')]", True),
        ("[contains(createArray('one', 'two'), 'three')]", False),
        ("[empty('')]", True),
        ("[empty(createObject())]", True),
        ("[first(createArray('one', 'two'))]", "one"),
        ("[last(createArray('one', 'two'))]", "two"),
        ("[length('One Two Three')]", 13),
        ("[union(createArray('one', 'two'), createArray('two', 'four'))]", ["one", "two", "four"]),
        ("[union(json('{\"a\": {\"x\": 1}, \"b\": 1}'), json('{\"a\": {\"y\": 2}, \"b\": 3}'))]",
         {"a": {"x": 1, "y": 2}, "b": 3}),
        ("[intersection(createArray('one', 'two', 'three'), createArray('two', 'three'))]",
         ["two", "three"]),
        ("[intersection(createObject('a', 1, 'b', 2), createObject('a', 1, 'b', 3))]", {"a": 1}),
        ("[range(5, 3)]", [5, 6, 7]),
        ("[min(createArray(0, 3, 2))]", 0),
        ("[max(0, 3, 2)]", 3),
        ("[items(createObject('b', 2, 'a', 1))]",
         [{"key": "a", "value": 1}, {"key": "b", "value": 2}]),
        ("[flatten(createArray(createArray('a'), createArray('b', 'c')))]", ["a", "b", "c"]),
        ("[coalesce(null(), 'x')]", "x"),
        ("[tryGet(variables('object'), 'two', 5)]", None),
        # lambdas
        ("[filter(createArray(1, 2, 3), lambda('n', greater(lambdaVariables('n'), 1)))]", [2, 3]),
        ("[map(createArray('a'), lambda('n', concat(lambdaVariables('n'), '!')))]", ["a!"]),
        ("[reduce(range(1, 4), 10, lambda('a', 'b', lambdaVariables('a')))]", 10),
        ("[sort(createArray(3, 1), lambda('a', 'b', less(lambdaVariables('a'), 2)))]", [1, 3]),
        ("[toObject(createArray('a'), lambda('n', lambdaVariables('n')))]", {"a": "a"}),
        # logic and numbers
        ("[if(equals('a', 'a'), 'yes', 'no')]", "yes"),
        ("[if(false(), variables('lacking'), 'no')]", "no"),
        ("[and(bool('true'), bool('false'))]", False),
        ("[or(true(), false())]", True),
        ("[not(bool('true'))]", False),
        ("[equals(1, '1')]", False),
        ("[equals('a', 'A')]", False),
        ("[less(5, 3)]", False),
        ("[greaterOrEquals('A', 'a')]", False),
        ("[add(5, 3)]", 8),
        ("[sub(7, 3)]", 4),
        ("[mul(5, 3)]", 15),
        ("[div(8, 3)]", 2),
        ("[div(-8, 3)]", -2),
        ("[mod(7, 3)]", 1),
        ("[int('4')]", 4),
        # address ranges
        ("[cidrSubnet('10.144.0.0/20', 24, 0)]", "10.144.0.0/24"),
        ("[cidrSubnet('10.144.0.0/20', 24, 4)]", "10.144.4.0/24"),
        ("[cidrHost('10.144.3.0/24', 0)]", "10.144.3.1"),
        ("[parseCidr('10.144.0.0/20').firstUsable]", "10.144.0.1"),
    ],
)  # fmt: skip
def test_function_gives_what_the_reference_says(expression: str, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("plain", "plain"),
        ("[[parameters('x')]", "[parameters('x')]"),
        ("[concat('it''s', ' [fine]')]", "it's [fine]"),
        ("[ concat( 'a' ,\n 'b' ) ]", "ab"),
        ("[variables('object').two[1]]", "y"),
        ("[variables('object')['It''s'].deep[0].end]", 7),
        ("[variables('object').ONE]", "a"),
        ("[variables('object').?lacking]", None),
        ("[variables('object').two[?9]]", None),
        ("[variables('names')]", ["n0", "n1", "n2"]),
        ("[variables('inner').even]", [0, 2]),
        ("[CONCAT('a', string(-1))]", "a-1"),
        ({"[concat('k', 'ey')]": ["[true()]"]}, {"key": [True]}),
        (
            {"copy": [{"name": "list", "count": 2, "input": {"n": "[copyIndex('list', 1)]"}}]},
            {"list": [{"n": 1}, {"n": 2}]},
        ),
    ],
)
def test_grammar_of_expressions(expression: Any, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[resourceId('Microsoft.Network/virtualNetworks/subnets', 'v', 's')]",
         f"{PLACE.group_id}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"),
        ("[resourceId('other', 'Microsoft.KeyVault/vaults', 'kv')]",
         f"{PLACE.subscription_id}/resourceGroups/other/providers/Microsoft.KeyVault/vaults/kv"),
        ("[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'r')]",
         f"{PLACE.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/r"),
        ("[extensionResourceId('/s/x', 'Microsoft.Authorization/locks', 'l')]",
         "/s/x/providers/Microsoft.Authorization/locks/l"),
        ("[tenantResourceId('Microsoft.Authorization/policyDefinitions', 'p')]",
         "/providers/Microsoft.Authorization/policyDefinitions/p"),
        ("[resourceGroup().location]", "westeurope"),
        ("[subscription().id]", PLACE.subscription_id),
        ("[deployment().name]", "t"),
        ("[environment().suffixes.acrLoginServer]", ".azurecr.io"),
    ],
)  # fmt: skip
def test_functions_about_the_place(expression: str, expected: str) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("[lacking('x')]", "lacking is not known"),
        ("[parameters('lacking')]", "no parameter lacking"),
        ("[variables('lacking')]", "no variable lacking"),
        ("[variables('object').lacking]", "no 'lacking'"),
        ("[split('', '/')[8]]", "there is no 8"),
        ("[concat('a' 'b')]", "unexpected"),
        ("[concat('a', 'b']", "unexpected"),
        ("[concat('a)]", "cannot read"),
        ("[if('true', 1, 2)]", "no boolean"),
        ("[concat('a', createArray())]", "not both"),
        ("[concat('a', createObject())]", "no simple value"),
        ("[substring('abc', 2, 5)]", "outside"),
        ("[int('four')]", "cannot read"),
        ("[json('{')]", "cannot read"),
        ("[add('1', 2)]", "no whole number"),
        ("[div(1, 0)]", "zero"),
        ("[copyIndex()]", "outside the loop"),
        ("[cidrSubnet('10.0.0.0/24', 26, 4)]", "does not exist"),
        ("[resourceId('Microsoft.KeyVault/vaults', 'a', 'b')]", "needs 1 names"),
        ("[resourceId('Microsoft.KeyVault/vaults', '')]", "empty"),
        ("[listKeys('x', '2020-01-01')]", "no template may read keys"),
        ("[format('{1}', 'a')]", "no value 1"),
        ("[first()]", "cannot take"),
    ],
)
def test_what_azure_refuses_is_an_error(expression: str, reason: str) -> None:
    with pytest.raises(TemplateError, match=reason):
        value(expression)


def test_guid_and_unique_string_depend_on_their_arguments_alone() -> None:
    first, again = value("[guid('a', 'b')]"), value("[guid('a', 'b')]")

    assert first == again != value("[guid('a', 'c')]")
    assert uuid.UUID(first)
    assert len(value("[uniqueString('a')]")) == 13
    assert value("[uniqueString('a')]") == value("[uniqueString('a')]")
