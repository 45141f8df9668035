"""A deployment whose apps `manage.py release` switches, in a resource manager of the tests' own."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from portal.infra import arm, builds, releasing, sites
from tests.arm.evaluate import evaluate
from tests.cloud.arm_run import Run
from tests.cloud.arm_server import ArmServer, running

GROUP = "rg-atrium"
LOGIN = "cratrium1.azurecr.io"
ROLES = ("release", "worker", "beat", "web")
OUTPUTS = {
    **{f"{role}AppName": f"app-atrium-1-{role}" for role in ROLES},
    "registryName": "cratrium1",
    "registryLoginServer": LOGIN,
    "image": "atrium:1.0.0",
}


class Clock:
    """Where a minute passes whenever the command looks at the clock, so that no test waits."""

    time = datetime(2026, 11, 24, 12, 0, 20, tzinfo=UTC)

    def look(self) -> datetime:
        """The time, a minute later than at the last look."""
        self.time += timedelta(minutes=1)
        return self.time

    def seconds(self) -> float:
        """Seconds since some time, one more than at the last look."""
        self.time += timedelta(seconds=1)
        return self.time.timestamp()


@pytest.fixture
def server(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    forget_tokens: Callable[[], None],
) -> Iterator[ArmServer]:
    """A subscription with a deployment whose apps run 1.0.0."""
    clock = Clock()
    monkeypatch.setattr(sites, "now", clock.look)
    monkeypatch.setattr(releasing, "monotonic", clock.seconds)
    monkeypatch.setattr(releasing, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(builds, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(arm, "POLLING_SECONDS", 0.05)
    with running(tmp_path) as (server, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.AZURE_RESOURCE_MANAGER_URL = server.url
        settings.AZURE_SUBSCRIPTION_ID = server.azure.subscription
        server.apps.now = lambda: clock.time
        add_deployment(server)
        yield server


def add_deployment(server: ArmServer) -> None:
    """What `infra deploy` has left: outputs, and apps with an image."""
    group = server.azure.add_group(GROUP)["id"]
    for role in ROLES:
        server.azure.add(
            f"{group}/providers/Microsoft.Web/sites/app-atrium-1-{role}",
            properties={
                "defaultHostName": f"app-atrium-1-{role}.azurewebsites.invalid",
                "siteConfig": {"linuxFxVersion": f"DOCKER|{LOGIN}/atrium:1.0.0"},
            },
        )
    add_run(server, f"{group}/providers/Microsoft.Resources/deployments/atrium-main-1")


def add_run(server: ArmServer, path: str) -> Run:
    """A deployment that has ended well, with these outputs."""
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [],
        "outputs": {name: {"type": "string", "value": value} for name, value in OUTPUTS.items()},
    }
    properties = {"template": template, "parameters": {}}
    run = Run(path, properties, evaluate(template, {}), 0.0, {})
    server.azure.runs[path.lower()] = run
    return run


def release(*arguments: str, output: io.StringIO | None = None) -> str:
    """What the command prints."""
    output = output or io.StringIO()
    call_command("release", *arguments, "--resource-group", GROUP, stdout=output)
    return output.getvalue()


def images(server: ArmServer) -> set[str]:
    """What the apps are set to."""
    return {server.apps.image(role).rpartition(":")[2] for role in ROLES}
