"""`manage.py release` where the apps answer: from inside the network."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from tests.cloud.arm_server import ArmServer
from tests.cloud.certificates import Authority
from tests.cloud.fixtures import forget_tokens
from tests.portal.infra.releases import images, release, server

__all__ = ["forget_tokens", "server"]  # fixtures


class App(BaseHTTPRequestHandler):
    """An app that answers from here: its health path is well, readiness is what it is told."""

    health = b'HTTP/1.0 200 OK\r\n\r\n{"release": "1.1.0", "done": true}'
    ready = b"HTTP/1.0 200 OK\r\n\r\n{}"
    asked: list[str]

    def do_GET(self) -> None:
        """Answer with what is there."""
        self.asked.append(self.path)
        is_health = self.path == "/healthz"
        self.wfile.write(self.health if is_health else self.ready)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def app(server: ArmServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[App]]:
    """All apps of the deployment, which are reached from here."""
    folder = tmp_path / "apps"
    folder.mkdir()
    authority = Authority(folder)
    handler = type("Asked", (App,), {"asked": []})
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        context = authority.issue("127.0.0.1").context()
        http.socket = context.wrap_socket(http.socket, server_side=True)
        for one in server.azure.resources.values():
            one["properties"]["defaultHostName"] = f"127.0.0.1:{http.server_port}"
        threading.Thread(target=http.serve_forever, args=[0.05], daemon=True).start()
        yield handler
        http.shutdown()


def test_web_is_well_when_it_is_ready(server: ArmServer, app: type[App]) -> None:
    said = release("1.1.0")

    assert app.asked == ["/healthz", "/healthz", "/healthz", "/readyz"]
    assert "web: well (its health path answers)" in said


def test_web_that_is_alive_but_not_ready_leads_back(server: ArmServer, app: type[App]) -> None:
    app.ready = b'HTTP/1.0 503 Unavailable\r\n\r\n{"database": false}'

    with pytest.raises(CommandError, match=r"health path says 503 .*database.*false"):
        release("1.1.0", "--patience", "0.2")

    assert images(server) == {"1.0.0"}


@pytest.mark.parametrize("facts", [b'{"release": "1.0.0", "done": true}', b"{}"])
def test_the_release_before_or_none_that_is_named_is_not_the_one_waited_for(
    server: ArmServer, app: type[App], facts: bytes
) -> None:
    app.health = b"HTTP/1.0 200 OK\r\n\r\n" + facts

    with pytest.raises(CommandError, match="release failed"):
        release("1.1.0", "--patience", "0.2")

    assert images(server) == {"1.0.0"}


def test_an_answer_that_is_no_http_is_none(server: ArmServer, app: type[App]) -> None:
    app.ready = b"nonsense\r\n\r\n"

    assert "web: well (measured health 100 %)" in release("1.1.0")
