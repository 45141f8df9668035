"""App Service's managed identity endpoint, as a real HTTP server.

The protocol is Microsoft's "REST endpoint reference" of
https://learn.microsoft.com/azure/app-service/overview-managed-identity: GET with `api-version`,
`resource` and `client_id`, and the header `X-IDENTITY-HEADER`.
"""

import contextlib
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

HEADER = "853b9a84-5bfa-4b22-a3f3-0b9a43d9ad8a"
CLIENT_ID = "5e29463d-71da-4fe0-8e69-999b57db23b0"
API_VERSION = "2019-08-01"
PREFIX = "token-of-the-tests-"

POSTGRES = "https://ossrdbms-aad.database.windows.net"
REDIS = "https://redis.azure.com"
VAULT = "https://vault.azure.net"
OPENAI = "https://cognitiveservices.azure.com"
MANAGEMENT = "https://management.azure.com"


class Token(NamedTuple):
    """What was issued: for which resource, to whom, and until when (seconds since 1970)."""

    value: str
    resource: str
    client_id: str
    expires_at: float

    @property
    def is_alive(self) -> bool:
        """Whether it has not expired yet."""
        return time.time() < self.expires_at


class Refusal(NamedTuple):
    """An answer instead of a token; without a status none ever comes."""

    status: int
    headers: dict[str, str]
    body: bytes | None = None


class Identity:
    """The endpoint: ``with Identity(life_seconds=3) as identity: identity.environment``.

    Tokens are numbered, `token-of-the-tests-1` and so on; each lives between `life_seconds` and a
    second less, because the protocol knows whole seconds. `known_clients` are the ids of the
    identities that this app has. `told` is called with each token before it is handed out, so that
    another server can be taught it.
    """

    def __init__(self, *, life_seconds: float = 86_400.0) -> None:
        self.life_seconds = life_seconds
        self.known_clients = {CLIENT_ID}
        self.issued: list[Token] = []
        self.requests: list[dict[str, str]] = []
        self.told: list[Callable[[Token], None]] = []
        self._refusals: deque[Refusal] = deque()
        self._hangs_until = threading.Event()
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[0.05], name="identity", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._hangs_until.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """The address of the endpoint."""
        return f"http://127.0.0.1:{self._server.server_port}/msi/token"

    @property
    def environment(self) -> dict[str, str]:
        """What App Service sets, and the setting that names the identity."""
        return {
            "IDENTITY_ENDPOINT": self.endpoint,
            "IDENTITY_HEADER": HEADER,
            "AZURE_CLIENT_ID": CLIENT_ID,
        }

    def refuse(
        self,
        status: int,
        *,
        times: int = 1,
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> None:
        """Answer the next requests with this status instead of a token; `body` may be no JSON."""
        self._refusals.extend([Refusal(status, headers or {}, body)] * times)

    def hang(self) -> None:
        """Take the next requests, and leave them without an answer."""
        self._refusals.extend([Refusal(0, {})] * 1000)

    def stop_refusing(self) -> None:
        """Answer with tokens again."""
        self._refusals.clear()

    def is_valid(self, value: str, resource: str) -> bool:
        """Whether this is a token for that resource, and has not expired."""
        return any(token.is_alive for token in self.issued_for(resource) if token.value == value)

    def issued_for(self, resource: str) -> list[Token]:
        """The tokens for this resource, oldest first."""
        return [token for token in self.issued if token.resource == resource]

    def answer(self, query: dict[str, str], header: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for one request."""
        status, headers, body = self._answer(query, header)
        if not status:
            self._hangs_until.wait()
        return status or 503, headers, body if isinstance(body, bytes) else _json(body)

    def _answer(self, query: dict[str, str], header: str) -> tuple[int, dict[str, str], Any]:
        with self._lock:
            self.requests.append(query)
            if header != HEADER:
                return 401, {}, _error("The identity header is missing or wrong")
            if query.get("api-version") != API_VERSION or not query.get("resource"):
                return 400, {}, _error("api-version and resource are needed")
            if query.get("client_id", "") not in self.known_clients:
                return 400, {}, _error("No User Assigned or Delegated Managed Identity found")
            if self._refusals:
                refusal = self._refusals.popleft()
                body = _error("refused by the test") if refusal.body is None else refusal.body
                return refusal.status, refusal.headers, body
            return 200, {}, self._issue(query["resource"], query["client_id"])

    def _issue(self, resource: str, client_id: str) -> dict[str, str]:
        expires_at = int(time.time() + self.life_seconds)
        value = f"{PREFIX}{next(self._numbers)}"
        token = Token(value, resource.rstrip("/"), client_id, expires_at)
        for tell in self.told:
            tell(token)
        self.issued.append(token)
        return {
            "access_token": value,
            "expires_on": str(expires_at),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id,
        }


def _json(body: object) -> bytes:
    return json.dumps(body).encode()


def _error(message: str) -> dict[str, Any]:
    return {"statusCode": 0, "message": message, "correlationId": "0"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, identity: Identity) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.identity = identity


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a token, or say why not."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        header = self.headers.get("X-IDENTITY-HEADER", "")
        status, headers, content = self.server.identity.answer(query, header)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        with contextlib.suppress(OSError):  # who asked may have gone
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""
