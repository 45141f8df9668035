"""Where `manage.py release` takes an image from: a task of the registry, or a runner."""

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from pytest_django.fixtures import Settings

from tests.cloud.arm_server import ArmServer
from tests.cloud.fixtures import forget_tokens
from tests.portal.infra.releases import LOGIN, images, release, server

__all__ = ["forget_tokens", "server"]  # fixtures


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


def test_a_failed_build_is_told_where_its_log_may_not_be_read(
    server: ArmServer, store: list[bytes], tree: Path
) -> None:
    server.apps.build_ends, server.apps.offers_log = "Failed", False

    with pytest.raises(CommandError, match=r"ended as Failed\. Its log could not be read"):
        release("1.1.0", "--build", "--agent-pool", "private")


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
