"""Watching a deployment, and the terminal it is shown on."""

import io

import pytest

from portal.infra import arm as arm_module
from portal.infra import progress
from portal.infra.parameters import MASK
from portal.infra.terminal import Terminal
from tests.cloud.arm_server import ArmServer
from tests.portal.infra.conftest import Infra


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_status_is_overwritten_on_a_terminal() -> None:
    screen = Screen()
    terminal = Terminal(screen)

    terminal.status("working")
    terminal.line("done")

    assert screen.getvalue() == "\r\x1b[2Kworking\r\x1b[2Kdone\n"


def test_a_status_is_not_written_into_a_file() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)

    terminal.status("working")
    terminal.line("done")

    assert stream.getvalue() == "done\n"


def test_no_secret_is_written_whoever_says_it() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.secrets = {"hidden"}

    terminal.line("an error that quotes hidden things")

    assert stream.getvalue() == f"an error that quotes {MASK} things\n"


def test_after_some_minutes_without_azure_watching_ends_and_says_what_goes_on(
    infra: Infra, arm_server: ArmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_module, "CONNECTION_RETRIES", 0)
    monkeypatch.setattr(progress, "PATIENCE_SECONDS", 0)
    arm_server.answer_next("GET", "/operations$", None, times=10)

    ended = infra("deploy", "--set", "image=atrium:1")

    assert ended.status == 1
    assert "no answer from Azure" in ended.out
    assert "goes on in Azure" in ended.error


def test_a_module_is_no_line_of_its_own(infra: Infra) -> None:
    ended = infra("deploy", "--set", "image=atrium:1")

    shown = ended.out.partition("Deployment atrium-main")[2]
    assert "Microsoft.Resources/deployments" not in shown
    assert shown.count("done      ") == 5
