"""`manage.py release` against a local server that speaks the resource manager's protocol."""

import io

import pytest
from django.core.management.base import CommandError

from tests.cloud.arm_server import ArmServer
from tests.cloud.fixtures import forget_tokens
from tests.portal.infra.releases import GROUP, LOGIN, ROLES, add_run, images, release, server

__all__ = ["forget_tokens", "server"]  # fixtures


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
        release("1.1.0", "--patience", "300")

    assert images(server) == {"1.0.0"}
    switched = ROLES[: ROLES.index(role) + 1]
    assert server.apps.started == [(one, "1.1.0") for one in switched] + [
        (one, "1.0.0") for one in reversed(switched)
    ]


def test_those_put_back_are_waited_for_and_said_to_be_well_or_not(server: ArmServer) -> None:
    server.apps.unwell = {("beat", "1.1.0"), ("worker", "1.0.0")}
    output = io.StringIO()

    with pytest.raises(CommandError):
        release("1.1.0", "--patience", "300", output=output)

    after = output.getvalue().partition("Going back")[2]
    assert "beat: well (measured health 100 %)" in after
    assert "worker: back, but NOT known to be well: It was not well within" in after
    assert after.index("release: back to") < after.index("beat: well")


class Interrupted(io.StringIO):
    """A terminal at which Ctrl-C is pressed once, when it shows this text."""

    at = "worker: waiting"

    def write(self, text: str) -> int:
        """Take it; pressed once."""
        if self.at and self.at in text:
            self.at = ""
            raise KeyboardInterrupt
        return super().write(text)


def test_ctrl_c_puts_back_what_ran_before(server: ArmServer) -> None:
    output = Interrupted()

    with pytest.raises(CommandError, match="Broken off") as raised:
        release("1.1.0", output=output)

    assert raised.value.returncode == 130
    assert images(server) == {"1.0.0"}
    assert f"worker: back to {LOGIN}/atrium:1.0.0" in output.getvalue()
    assert f"release: back to {LOGIN}/atrium:1.0.0" in output.getvalue()


# ── One at a time ──────────────────────────────────────────────────────────────────────────────
def test_while_infra_deploy_runs_there_is_no_release(server: ArmServer) -> None:
    path = f"{server.azure.add_group(GROUP)['id']}/providers/Microsoft.Resources/deployments"
    add_run(server, f"{path}/atrium-main-2").ends_at = 600.0

    with pytest.raises(CommandError, match="The deployment atrium-main-2 is still running"):
        release("1.1.0")

    assert server.changes == []


def test_different_images_are_the_sign_of_another_release(server: ArmServer) -> None:
    server.apps.set_image("release", f"DOCKER|{LOGIN}/atrium:1.2.0")

    with pytest.raises(CommandError, match="Another release goes on, or one was broken off"):
        release("1.1.0")

    assert server.changes == []
    assert f"In service: {LOGIN}/atrium:1.1.0" in release("1.1.0", "--take-over")


def test_what_somebody_else_has_switched_meanwhile_is_left_to_them(server: ArmServer) -> None:
    def interfere() -> None:
        for role in ("release", "beat"):
            server.apps.set_image(role, f"DOCKER|{LOGIN}/atrium:1.2.0")

    server.apps.then["worker", "1.1.0"] = interfere

    with pytest.raises(CommandError, match=r"beat failed\. Somebody else has switched it"):
        release("1.1.0")

    tags = [server.apps.image(role).rpartition(":")[2] for role in ROLES]
    assert tags == ["1.2.0", "1.0.0", "1.2.0", "1.0.0"]


# ── What is refused ────────────────────────────────────────────────────────────────────────────
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
