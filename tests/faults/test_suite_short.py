"""The fault suite in its short form: the most telling faults, with few conversations."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.suite.crowd import Crowd, World
from tests.faults.suite.faults import SHORT, Fault
from tests.faults.suite.world import opened

CONVERSATIONS = 10


@pytest.fixture(scope="module")
def world(static_files: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A portal of its own, in which everybody is signed in."""
    with opened(tmp_path_factory.mktemp("suite"), imitated=False) as world:
        asyncio.run(world.sign_in())
        yield world


@pytest.mark.timeout(400)
@pytest.mark.parametrize("fault", SHORT, ids=str)
def test_nothing_is_lost_nothing_is_billed_twice_and_every_end_is_honest(
    world: World, fault: Fault
) -> None:
    result = asyncio.run(Crowd(world, fault, CONVERSATIONS).run())

    assert [str(violation) for violation in result.violations] == []
    assert len(result.verdicts) >= 2 * CONVERSATIONS
    assert any(verdict.end == verdict.sent.case.end for verdict in result.verdicts)
