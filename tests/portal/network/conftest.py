"""A private network with everything in it, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, Self

import pytest

from tests.cloud import layouts


class Seen(NamedTuple):
    """What the command said, and how it ended."""

    code: int
    out: str
    err: str

    def services(self) -> dict[str, dict[str, Any]]:
        """What `--json` says of each service."""
        return {entry["service"]: entry for entry in json.loads(self.out)["services"]}


class Trial:
    """Runs commands in the network: `trial.check("--json", fault="port-closed")`."""

    def __init__(self) -> None:
        self.is_namespace = layouts.may_have_namespace()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cloud.try_network", "--serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def check(self, *options: str, fault: str = "") -> Seen:
        """`manage.py check_network` with these options, in a network that has this fault."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"fault": fault, "command": ["check_network", *options]}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return Seen(**json.loads(self._process.stdout.readline()))


@pytest.fixture(scope="session")
def _trial() -> Iterator[Trial]:
    with Trial() as running:
        yield running


@pytest.fixture
def trial(_trial: Trial) -> Trial:
    """The private network; good, but for what a test asks for."""
    return _trial


@pytest.fixture
def trial_with_public_addresses(trial: Trial) -> Trial:
    """The same, where public addresses lead into it too."""
    if not trial.is_namespace:
        pytest.skip("needs root on Linux, for a network namespace")
    return trial
