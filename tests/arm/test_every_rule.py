"""The rules together: each is tested on every scenario, and each has been seen to complain."""

import pytest

from tests.arm import (
    test_apps,
    test_diagnostics,
    test_faults_access,
    test_faults_gateway,
    test_faults_network,
    test_faults_order,
    test_gateway,
    test_keys,
    test_order,
    test_paths,
    test_perimeter,
)
from tests.arm.faults import Fault
from tests.arm.rules.every import RULES
from tests.arm.scenarios import MAIN, SCENARIOS, scenario

TESTS = (
    test_apps,
    test_diagnostics,
    test_gateway,
    test_keys,
    test_order,
    test_paths,
    test_perimeter,
)
FAULTS: dict[str, Fault] = {
    **test_faults_access.FAULTS,
    **test_faults_gateway.FAULTS,
    **test_faults_network.FAULTS,
    **test_faults_order.FAULTS,
}


def test_every_rule_is_held_against_every_main_scenario() -> None:
    tests = {name for module in TESTS for name in vars(module) if name.startswith("test_")}

    assert tests == {f"test_{rule}" for rule in RULES}


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - MAIN))
def test_no_rule_complains_when_one_switch_is_turned(name: str) -> None:
    found = {rule: complaints(scenario(name)) for rule, complaints in RULES.items()}

    assert {rule: lines for rule, lines in found.items() if lines} == {}


def test_every_rule_has_been_seen_to_complain() -> None:
    seen = {rule for _, _, rules in FAULTS.values() for rule in rules.split()}

    assert seen == RULES.keys()
