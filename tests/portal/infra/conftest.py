"""A subscription on a local server that speaks Azure's protocol, and the command against it."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from tests.cloud.arm_server import ArmServer, running
from tests.cloud.fixtures import forget_tokens
from tests.portal.infra import small

__all__ = ["forget_tokens"]  # a fixture

GROUP = "rg-atrium"


class Ended(NamedTuple):
    """How a command ended: its exit status, and all that it wrote."""

    status: int
    out: str
    error: str


class Infra(Protocol):
    """Runs `manage.py infra` in this process."""

    def __call__(self, action: str, *arguments: str) -> Ended:
        """With these arguments."""


@pytest.fixture(scope="module")
def module_server(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[ArmServer, dict[str, str]]]:
    """One server for the tests of a file, and the environment that leads to it."""
    with running(tmp_path_factory.mktemp("arm")) as server:
        yield server


@pytest.fixture
def arm_server(
    module_server: tuple[ArmServer, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    forget_tokens: Callable[[], None],
) -> ArmServer:
    """The server with a new subscription: one group, one model, nothing deployed."""
    server, environment = module_server
    server.start_again()
    server.azure.add_group(GROUP)
    server.azure.add_model("gpt-mini", "2")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.AZURE_RESOURCE_MANAGER_URL = environment["AZURE_RESOURCE_MANAGER_URL"]
    settings.AZURE_SUBSCRIPTION_ID = environment["AZURE_SUBSCRIPTION_ID"]
    return server


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A small template."""
    return small.write(tmp_path / "arm")


def run(action: str, *arguments: str) -> Ended:
    """The command as it ends, without ending the tests."""
    out, error = io.StringIO(), io.StringIO()
    try:
        call_command("infra", action, *arguments, stdout=out, stderr=error)
    except CommandError as refusal:
        return Ended(refusal.returncode, out.getvalue(), f"{error.getvalue()}{refusal}")
    except SystemExit as end:
        return Ended(int(end.code or 0), out.getvalue(), error.getvalue())
    return Ended(0, out.getvalue(), error.getvalue())


@pytest.fixture
def infra(arm_server: ArmServer, main: Path) -> Infra:
    """The command against the server, with the small template."""

    def call(action: str, *arguments: str) -> Ended:
        given = ["-g", GROUP] if "-g" not in arguments else []
        if action in {"validate", "what-if", "deploy"} and "--template" not in arguments:
            given += ["--template", str(main)]
        if action == "deploy":
            given += ["--every", "0.02"]
        return run(action, *given, *arguments)

    return call
