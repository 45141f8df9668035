"""`manage.py release` against a local server that speaks the resource manager's protocol."""

import io
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from portal.infra import arm, builds, releasing
from tests.arm.evaluate import evaluate
from tests.cloud.arm_run import Run
from tests.cloud.arm_server import ArmServer, running
from tests.cloud.fixtures import forget_tokens

__all__ = ["forget_tokens"]  # a fixture

GROUP = "rg-atrium"
LOGIN = "cratrium1.azurecr.io"
ROLES = ("release", "worker", "beat", "web")
OUTPUTS = {
    **{f"{role}AppName": f"app-atrium-1-{role}" for role in ROLES},
    "registryName": "cratrium1",
    "registryLoginServer": LOGIN,
    "image": "atrium:1.0.0",
}


@pytest.fixture
def server(
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    forget_tokens: Callable[[], None],
) -> Iterator[ArmServer]:
    """A subscription with a deployment whose apps run 1.0.0."""
    monkeypatch.setattr(releasing, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(builds, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(arm, "POLLING_SECONDS", 0.05)
    with running(tmp_path) as (server, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings.AZURE_RESOURCE_MANAGER_URL = server.url
        settings.AZURE_SUBSCRIPTION_ID = server.azure.subscription
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


def add_run(server: ArmServer, path: str) -> None:
    """A deployment that has ended well, with these outputs."""
    template = {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "resources": [],
        "outputs": {name: {"type": "string", "value": value} for name, value in OUTPUTS.items()},
    }
    properties = {"template": template, "parameters": {}}
    server.azure.runs[path.lower()] = Run(path, properties, evaluate(template, {}), 0.0, {})


def release(*arguments: str) -> str:
    """What the command prints."""
    output = io.StringIO()
    call_command("release", *arguments, "--resource-group", GROUP, stdout=output)
    return output.getvalue()


def images(server: ArmServer) -> set[str]:
    """What the apps are set to."""
    return {server.apps.image(role).rpartition(":")[2] for role in ROLES}


# ── Switching ──────────────────────────────────────────────────────────────────────────────────
def test_release_comes_first_and_web_last(server: ArmServer) -> None:
    said = release("1.1.0")

    assert server.apps.started == [(role, "1.1.0") for role in ROLES]
    assert images(server) == {"1.1.0"}
    assert f"In service: {LOGIN}/atrium:1.1.0" in said
    assert "To go back: release 1.0.0 --resource-group rg-atrium" in said


@pytest.mark.parametrize("role", ROLES)
def test_where_one_is_not_well_all_go_back(server: ArmServer, role: str) -> None:
    server.apps.unwell.add((role, "1.1.0"))

    with pytest.raises(CommandError, match=f"atrium:1.1.0 is not in service: {role} failed"):
        release("1.1.0", "--patience", "0.2")

    assert images(server) == {"1.0.0"}
    switched = ROLES[: ROLES.index(role) + 1]
    assert server.apps.started == [(one, "1.1.0") for one in switched] + [
        (one, "1.0.0") for one in reversed(switched)
    ]


def test_an_app_that_is_gone_stops_the_release(server: ArmServer) -> None:
    server.azure.resources = {
        id_: body for id_, body in server.azure.resources.items() if not id_.endswith("-beat")
    }

    with pytest.raises(CommandError, match="was not found"):
        release("1.1.0")

    assert server.changes == []


def test_a_dry_run_says_what_would_happen(server: ArmServer) -> None:
    said = release("1.1.0", "--dry-run")

    assert f"1. release (app-atrium-1-release), which runs {LOGIN}/atrium:1.0.0" in said
    assert said.index("2. worker") < said.index("3. beat") < said.index("4. web")
    assert server.changes == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["bad tag"], "cannot be the tag"),
        (["../../x"], "cannot be the tag"),
        (["1.1.0", "--build"], "--build needs --agent-pool"),
        (["1.1.0", "--subscription", ""], "Give --subscription"),
        (["1.1.0", "--builder", "true", "--build"], "not allowed with argument"),
    ],
)
def test_wrong_arguments_change_nothing(
    server: ArmServer, arguments: list[str], expected: str
) -> None:
    with pytest.raises(CommandError, match=expected):
        release(*arguments)

    assert server.changes == []


def test_without_a_deployment_it_says_so(server: ArmServer) -> None:
    server.azure.runs.clear()

    with pytest.raises(CommandError, match="No deployment has succeeded"):
        release("1.1.0")


# ── Building ───────────────────────────────────────────────────────────────────────────────────
class Store(BaseHTTPRequestHandler):
    """Takes a source, and has a log."""

    taken: list[bytes]

    def do_PUT(self) -> None:
        """Keep what is handed over."""
        self.taken.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(201)
        self.end_headers()

    def do_GET(self) -> None:
        """The log of a build."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Step 1/2 : FROM python\nno space left on device\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def store(server: ArmServer) -> Iterator[list[bytes]]:
    """Where sources are handed over: what was."""
    handler = type("Kept", (Store,), {"taken": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        threading.Thread(target=http.serve_forever, args=[0.05], daemon=True).start()
        server.apps.url = f"http://127.0.0.1:{http.server_port}"
        yield handler.taken  # type: ignore[attr-defined]  # made a line above
        http.shutdown()


@pytest.fixture
def tree(tmp_path: Path, settings: Settings) -> Path:
    """A git tree with one commit."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "Dockerfile").write_text("FROM scratch\n")
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_NAME": "a",
           "GIT_COMMITTER_EMAIL": "a@b.c"}  # fmt: skip
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *command], cwd=tree, check=True, env={**os.environ, **who})
    settings.BASE_DIR = tree
    return tree


def test_a_build_gets_the_last_commit_and_then_comes_into_service(
    server: ArmServer, store: list[bytes], tree: Path
) -> None:
    said = release("1.1.0", "--build", "--agent-pool", "private")

    assert len(store) == 1
    assert store[0].startswith(b"\x1f\x8b")
    (build,) = server.apps.builds
    assert (build["imageNames"], build["agentPoolName"]) == (["atrium:1.1.0"], "private")
    assert build["arguments"] == [{"name": "IMAGE_TAG", "value": "1.1.0"}]
    assert said.index("build: Queued") < said.index("build: Succeeded") < said.index("release:")
    assert images(server) == {"1.1.0"}


def test_a_failed_build_shows_its_log_and_changes_no_app(
    server: ArmServer, store: list[bytes], tree: Path
) -> None:
    server.apps.build_ends = "Failed"

    with pytest.raises(CommandError, match=r"ended as Failed\.\n.*\n  no space left on device"):
        release("1.1.0", "--build", "--agent-pool", "private")

    assert images(server) == {"1.0.0"}


def test_a_runner_is_told_the_image(server: ArmServer, tmp_path: Path) -> None:
    told = tmp_path / "told"

    release("1.1.0", "--builder", f"sh -c 'echo $IMAGE $IMAGE_TAG > {told}'")

    assert told.read_text() == f"{LOGIN}/atrium:1.1.0 1.1.0\n"
    assert images(server) == {"1.1.0"}


@pytest.mark.parametrize("builder", ["false", "/no/such/program", ""])
def test_a_runner_that_fails_changes_no_app(server: ArmServer, builder: str) -> None:
    with pytest.raises(CommandError):
        release("1.1.0", "--builder", builder)

    assert images(server) == {"1.0.0"}
