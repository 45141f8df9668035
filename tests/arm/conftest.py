"""`e`: each scenario in turn, evaluated."""

import pytest

from tests.arm.evaluate import Evaluated
from tests.arm.scenarios import SCENARIOS, scenario


@pytest.fixture(params=SCENARIOS)
def e(request: pytest.FixtureRequest) -> Evaluated:
    """A scenario; a test that asks for it is run for every one."""
    return scenario(request.param)
