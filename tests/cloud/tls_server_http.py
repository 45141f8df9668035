"""What Azure's web services say: to the managed identity's token, without one, and from outside.

Each service takes the tokens that `tests.cloud.identity` issued for its resource. The texts are
Azure's own, from threads that quote them.
"""

import contextlib
import json
import ssl
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs

from tests.cloud import identity
from tests.cloud.identity import Identity

REGISTRY = "https://containerregistry.azure.net"
REFRESH, PULL = "refresh-token-of-the-registry", "pull-token-of-the-registry"


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def said(status: int, content: object) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json"})


CLOSED = {
    "openai": said(403, {"error": {
        "code": "403",
        "message": "Public access is disabled. Please configure private endpoint."}}),
    "keyvault": said(403, {"error": {
        "code": "Forbidden",
        "message": "Public network access is disabled and request is not from a trusted service"
                   " nor via an approved private link.\r\nCaller: appid=5e29463d",
        "innererror": {"code": "ForbiddenByConnection"}}}),
    "registry": said(403, {"errors": [{
        "code": "DENIED",
        "message": "client with IP '198.51.100.7' is not allowed access."
                   " Refer https://aka.ms/acr/firewall to grant access."}]}),
    "web": Answer(403, b"<h1>Error 403 - Forbidden</h1><p>The web app you have attempted to reach"
                       b" has blocked your access.</p>", {"x-ms-forbidden-ip": "198.51.100.7"}),
}  # fmt: skip
STOPPED = Answer(403, b"<h1>Error 403 - This web app is stopped.</h1>")


class AzureHttp:
    """One web service.

    `answer`, when it is set, is sent to everything; `is_stranger`: the registry does not know the
    identity; `sends_back`: it tells what it was sent.
    """

    def __init__(self, service: str, tokens: Identity) -> None:
        self.service = service
        self.answer: Answer | None = None
        self.is_stranger = self.sends_back = False
        self.secret_versions: list[dict[str, Any]] = []
        self.reset()
        self._tokens = tokens

    def reset(self) -> None:
        """As it was in the beginning."""
        self.answer = None
        self.is_stranger = self.sends_back = False
        self.secret_versions = [{"id": "…/secret-key/1", "attributes": {"enabled": True}}]

    def speak(self, secure: ssl.SSLSocket) -> None:
        """Serve one connection."""
        with contextlib.suppress(OSError):
            _Handler(self, secure)

    def reply(self, path: str, token: str, form: dict[str, str]) -> Answer:
        """The answer to one request."""
        if self.answer is not None:
            return self.answer
        if self.sends_back:
            return said(403, {"error": {"message": f"not for {token}"}})
        return getattr(self, f"_{self.service}")(path, token, form)  # type: ignore[no-any-return]  # by name

    def _openai(self, path: str, token: str, _form: dict[str, str]) -> Answer:
        if not self._tokens.is_valid(token, identity.OPENAI):
            return said(401, {"error": {"code": "401", "message": "Access denied due to ..."}})
        is_known = path == "/openai/v1/models"
        return said(200, {"data": []}) if is_known else said(404, {"error": {"code": "404"}})

    def _keyvault(self, path: str, token: str, _form: dict[str, str]) -> Answer:
        if not self._tokens.is_valid(token, identity.VAULT):
            return said(401, {"error": {"code": "Unauthorized", "message": "AKV10000"}})
        if not path.startswith("/secrets/secret-key/versions"):
            return said(404, {"error": {"code": "SecretNotFound"}})
        return said(200, {"value": self.secret_versions, "nextLink": None})

    def _registry(self, path: str, token: str, form: dict[str, str]) -> Answer:
        if path == "/oauth2/exchange":
            is_valid = self._tokens.is_valid(form.get("access_token", ""), REGISTRY)
            is_valid = is_valid and not self.is_stranger
            return said(200, {"refresh_token": REFRESH}) if is_valid else _denied()
        if path == "/oauth2/token":
            is_right = form == {
                "grant_type": "refresh_token",
                "refresh_token": REFRESH,
                "scope": "repository:atrium:pull",
                "service": "acratrium.azurecr.io",
            }
            return said(200, {"access_token": PULL}) if is_right else _denied()
        if token != PULL:
            return _denied()
        return Answer(200 if path == "/v2/" else 404)

    def _web(self, path: str, _token: str, _form: dict[str, str]) -> Answer:
        return said(200, {"alive": True}) if path == "/healthz" else Answer(404)


def _denied() -> Answer:
    challenge = 'Bearer realm="https://acratrium.azurecr.io/oauth2/token"'
    answer = said(401, {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]})
    return Answer(answer.status, answer.body, {**answer.headers, "Www-Authenticate": challenge})


class _Handler(BaseHTTPRequestHandler):
    """One connection, over a socket that is there already."""

    protocol_version = "HTTP/1.1"

    def __init__(self, service: AzureHttp, secure: ssl.SSLSocket) -> None:
        self.service = service
        super().__init__(secure, ("", 0), None)  # type: ignore[arg-type]  # no server is needed

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        form = {
            name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()
        }
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        answer = self.service.reply(self.path, token, form)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else answer.body)

    do_GET = do_POST = do_HEAD = _do  # noqa: N815  # their names there

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""
