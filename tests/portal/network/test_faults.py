"""Each fault of a deployment's network, produced once with real servers, is named."""

import pytest

from portal.network.causes import CAUSES
from tests.cloud.network_faults import FAULTS
from tests.portal.network.conftest import Trial

# Codes that no fault of the list stands for, and why.
NOT_PRODUCED = {
    "certificate-bad",  # what OpenSSL may say beyond the usual
    "broken-check",  # a fault of the command itself
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_named(name: str, trial: Trial) -> None:
    fault = FAULTS[name]
    if fault.needs_namespace and not trial.is_namespace:
        pytest.skip("needs root on Linux, for a network namespace")

    seen = trial.check("--json", "--only", fault.service, *fault.options, fault=name)

    steps = seen.services()[fault.service]["steps"]
    failed = {(step["step"], step.get("problem")) for step in steps if step["outcome"] == "failed"}
    assert (fault.step, fault.problem) in failed
    assert seen.code == 1


def test_every_problem_is_produced_by_a_fault() -> None:
    produced = {fault.problem for fault in FAULTS.values()}

    assert produced == CAUSES.keys() - NOT_PRODUCED
