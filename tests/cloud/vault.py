"""A Key Vault over HTTPS, under its real kind of name, which a proxy of ours leads to.

It answers without a token as Key Vault does: with 401 and a challenge that names the resource
(https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses).
"""

import contextlib
import itertools
import json
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.cloud.certificates import Authority, Certificate
from tests.cloud.identity import VAULT, Identity
from tests.cloud.tls_server import TlsServer

HOST = "kv-atrium-test.vault.azure.net"
_PIECE = 65_536


@dataclass(frozen=True)
class Version:
    """One version of a secret."""

    value: str
    attributes: dict[str, Any] = field(default_factory=dict)


class Vault:
    """``with Vault(identity, folder) as vault: vault.environment``.

    `refusal`, where it is set, is the status and text for whoever has a token.
    """

    def __init__(
        self,
        identity: Identity,
        folder: Path,
        *,
        certificate: Certificate | None = None,
        resource: str = VAULT,
    ) -> None:
        self.resource = resource
        self.secrets: dict[str, dict[str, Version]] = {}
        self.refusal: tuple[int, str, str] | None = None
        self.requests: list[tuple[str, bool]] = []
        self._identity = identity
        self._authority = Authority(folder)
        self._numbers = itertools.count(1)
        self._server = TlsServer(self._speak, certificate or self._authority.issue(HOST))
        self._proxy = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> Self:
        self._server.__enter__()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.__exit__()
        with contextlib.suppress(OSError):
            self._proxy.shutdown(socket.SHUT_RDWR)
        self._proxy.close()

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process to this vault, and lets it trust the certificate."""
        return {
            "KEY_VAULT_URL": f"https://{HOST}/",
            "HTTPS_PROXY": f"http://127.0.0.1:{self._proxy.getsockname()[1]}",
            "NO_PROXY": "127.0.0.1",
            "REQUESTS_CA_BUNDLE": str(self._authority.path),
        }

    def add(self, name: str, value: str, **attributes: object) -> None:
        """A newer version of this secret; attributes as in Key Vault's protocol."""
        number = next(self._numbers)
        known = {"enabled": True, "created": int(time.time()) + number, "updated": 0}
        versions = self.secrets.setdefault(name, {})
        versions[f"{number:032x}"] = Version(value, {**known, **attributes})

    def answer(self, path: str, token: str) -> tuple[int, Any]:
        """Status and body for one request."""
        self.requests.append((path, bool(token)))
        if not token:
            return 401, _error("Unauthorized", "AKV10000: Request is missing a Bearer token.")
        if not self._identity.is_valid(token, VAULT):
            return 401, _error("Unauthorized", "AKV10032: the token is not valid")
        if self.refusal:
            status, code, text = self.refusal
            return status, _error(code, text)
        _, _, name, version = [*urlsplit(path).path.split("/"), ""][:4]
        found = self.secrets.get(name, {})
        if version == "versions":
            listed = [_item(name, id_, one) for id_, one in found.items()]
            return 200, {"value": listed, "nextLink": None}
        if version in found:
            return 200, _item(name, version, found[version]) | {"value": found[version].value}
        return 404, _error("SecretNotFound", f"A secret with (name/id) {name} was not found")

    def _speak(self, secure: ssl.SSLSocket) -> None:
        with contextlib.suppress(OSError):
            _Handler(self, secure)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._proxy.accept()
                threading.Thread(target=self._lead, args=[client], daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        """CONNECT, as of a proxy."""
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(_PIECE)
            if not head.startswith(f"CONNECT {HOST}:443 ".encode()):
                client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                return
            with socket.create_connection((self._server.address, self._server.port)) as behind:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pass_on(client, behind)


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    while True:
        for ready in select.select([one, other], [], [])[0]:
            piece = ready.recv(_PIECE)
            if not piece:
                return
            (other if ready is one else one).sendall(piece)


def _item(name: str, id_: str, version: Version) -> dict[str, Any]:
    return {"id": f"https://{HOST}/secrets/{name}/{id_}", "attributes": version.attributes}


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, vault: Vault, secure: ssl.SSLSocket) -> None:
        self.vault = vault
        super().__init__(secure, ("", 0), None)  # type: ignore[arg-type]  # no server is needed

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        status, body = self.vault.answer(self.path, token)
        content = json.dumps(body).encode()
        self.send_response(status)
        if status == 401:
            self.send_header(
                "WWW-Authenticate",
                'Bearer authorization="https://login.microsoftonline.com/'
                f'72f988bf-86f1-41af-91ab-2d7cd011db47", resource="{self.vault.resource}"',
            )
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""
