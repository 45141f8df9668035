"""`e`: each main scenario in turn, evaluated."""

import pytest

from tests.arm.evaluate import Evaluated
from tests.arm.scenarios import MAIN, scenario


@pytest.fixture(params=MAIN)
def e(request: pytest.FixtureRequest) -> Evaluated:
    """A scenario and tier; a test that asks for it is run for every one."""
    return scenario(request.param)
