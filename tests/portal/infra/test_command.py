"""The command as a process of its own: exit statuses, and what Ctrl-C does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.cloud.arm_server import ArmServer
from tests.commands import manage
from tests.portal.infra.conftest import GROUP, Infra
from tests.stack import wait_until

MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py"), "infra"]


def end(*arguments: str, answer: str = "") -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    done = manage("infra", *arguments, stdin=answer)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((), "required: ACTION"),
        (("outputs",), "Which resource group?"),
        (("validate", "--offline", "--set", "imag=x"), "did you mean image?"),
    ],
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...], text: str) -> None:
    status, _, error = end(*arguments)

    assert status == 2
    assert text in error
    assert "Traceback" not in error


def test_help_has_examples() -> None:
    status, out, _ = end("--help")

    assert status == 0
    assert "manage.py infra deploy --dry-run -g rg-atrium" in out


def test_ctrl_c_says_what_goes_on_and_how_to_stop_it(arm_server: ArmServer, main: Path) -> None:
    arm_server.azure.pace_seconds = 30
    child = subprocess.Popen(
        [*MANAGE, "deploy", "-g", GROUP, "--template", str(main), "--set", "image=atrium:1",
         "--every", "0.1"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(lambda: bool(arm_server.requests("GET", "/operations$")), what="progress")

    os.kill(child.pid, signal.SIGINT)
    _, error = child.communicate(timeout=30)

    assert child.returncode == 130
    assert "goes on in Azure" in error
    assert f"Stop it:   manage.py infra deploy --resource-group {GROUP} --cancel" in error


def test_destroy_asks_for_the_name(infra: Infra, arm_server: ArmServer) -> None:
    infra("deploy", "--set", "image=atrium:1")

    wrong = end("destroy", "-g", GROUP, answer="something\n")
    right = end("destroy", "-g", GROUP, answer=f"{GROUP}\n")

    assert (wrong[0], right[0]) == (1, 0)
    assert "Nothing was deleted" in wrong[2]
    assert arm_server.azure.groups == {}
