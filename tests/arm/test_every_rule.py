"""The rules together: quiet about what is right, and each seen to complain."""

import pytest

from tests.arm import (
    test_faults_access,
    test_faults_gateway,
    test_faults_network,
    test_faults_order,
)
from tests.arm.rules.every import RULES, complaining
from tests.arm.scenarios import SCENARIOS, scenario

MODULES = (test_faults_access, test_faults_gateway, test_faults_network, test_faults_order)
FAULTS = {name: fault for module in MODULES for name, fault in module.FAULTS.items()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_rule_complains(name: str) -> None:
    assert complaining(scenario(name)) == set()


def test_every_rule_has_been_seen_to_complain() -> None:
    seen = {rule for _, _, rules in FAULTS.values() for rule in rules.split()}

    assert seen == RULES.keys()
