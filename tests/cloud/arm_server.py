"""Azure's resource manager as a real HTTPS server: tokens, long-running operations, throttling.

By hand: ``python -m tests.cloud.arm_server`` prints the environment in which `manage.py infra`
takes it for Azure, and answers until Ctrl-C.
"""

import argparse
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.arm.evaluate import FOLDER
from tests.cloud.arm_answers import Answer, Json, refusal
from tests.cloud.arm_apps import Apps
from tests.cloud.arm_azure import Azure
from tests.cloud.arm_call import Request
from tests.cloud.arm_routes import Routes
from tests.cloud.arm_run import CORRELATION
from tests.cloud.certificates import Authority, Certificate
from tests.cloud.identity import Identity

CHALLENGE = {"WWW_Authenticate": 'Bearer authorization_uri="https://login", error="invalid_token"'}


@dataclass
class Fault:
    """Answer the next requests that match with this; None: close the connection without a word."""

    method: str
    pattern: str
    answer: Answer | None
    times: int

    def takes(self, request: Request) -> bool:
        """Whether this request is one of them; counts it."""
        is_meant = request.method == self.method and re.search(
            self.pattern, request.path, re.IGNORECASE
        )
        if not is_meant or self.times < 1:
            return False
        self.times -= 1
        return True


class ArmServer:
    """``with ArmServer(identity, certificate) as server: server.url``; `azure` is what it knows.

    `log` holds each request that came, in order; `refused_tokens` counts those without a valid one.
    """

    def __init__(self, identity: Identity, certificate: Certificate) -> None:
        self.identity = identity
        self._lock = threading.Lock()
        self._server = _Server(self)
        self._server.socket = certificate.context().wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        self.start_again()
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[0.05], name="arm", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def apps(self) -> Apps:
        """What App Service and the registry do."""
        return self._routes.apps

    def start_again(self) -> None:
        """A subscription with nothing in it, and an empty log."""
        self.azure = Azure()
        self.log: list[Request] = []
        self.refused_tokens = 0
        self._faults: list[Fault] = []
        self._routes = Routes(self.azure, self.url)

    def answer_next(
        self, method: str, pattern: str, answer: Answer | None, *, times: int = 1
    ) -> None:
        """Answer the next requests whose path matches with this; None: lose the connection."""
        self._faults.append(Fault(method, pattern, answer, times))

    def requests(self, method: str, pattern: str = "") -> list[Request]:
        """The requests that came with this method and a path that matches."""
        return [
            request
            for request in self.log
            if request.method == method and re.search(pattern, request.path, re.IGNORECASE)
        ]

    @property
    def changes(self) -> list[Request]:
        """The requests that change something; looking ahead changes nothing."""
        looks = re.compile("/(validate|whatIf)$")
        return [one for one in self.log if one.method != "GET" and not looks.search(one.path)]

    def answer(self, request: Request, authorization: str) -> Answer | None:
        """What to say; None: nothing, and close."""
        with self._lock:
            self.log.append(request)
            token = authorization.removeprefix("Bearer ")
            if not self.identity.is_valid(token, self.url):
                self.refused_tokens += 1
                expired = "The access token has expired."
                return refusal(401, "ExpiredAuthenticationToken", expired, **CHALLENGE)
            fault = next((one for one in self._faults if one.takes(request)), None)
            return fault.answer if fault else self._routes.answer(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, arm: ArmServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.arm = arm

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Head and body leave together: apart, each answer would wait for an acknowledgement.
    wbufsize = -1

    def _handle(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body: Json = json.loads(self.rfile.read(size)) if size else {}
        address = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        request = Request(self.command, unquote(address.path), query, body)
        answer = self.server.arm.answer(request, self.headers.get("Authorization", ""))
        if answer is None:
            self.close_connection = True
            return
        self._send(answer)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815  # their names there

    def _send(self, answer: Answer) -> None:
        content = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(content)),
            "x-ms-correlation-request-id": CORRELATION,
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""


@contextmanager
def running(folder: Path) -> Iterator[tuple[ArmServer, dict[str, str]]]:
    """A server, and the environment of a client that takes it for Azure."""
    authority = Authority(folder)
    with ExitStack() as stack:
        identity = stack.enter_context(Identity())
        server = stack.enter_context(ArmServer(identity, authority.issue("127.0.0.1")))
        yield (
            server,
            {
                **identity.environment,
                "AZURE_RESOURCE_MANAGER_URL": server.url,
                "AZURE_SUBSCRIPTION_ID": server.azure.subscription,
                "REQUESTS_CA_BUNDLE": str(authority.path),
            },
        )


def prepare(azure: Azure) -> None:
    """Let there be what the scenarios of infra/arm need: models, a feature, and what they bring."""
    for model, version in {"gpt-5.4-mini": "2026-03-17", "gpt-5.5": "2026-04-24"}.items():
        azure.add_model(model, version)
    azure.features.add("EnableApplicationGatewayNetworkIsolation")
    for file in FOLDER.glob("*.parameters.json"):
        for id_ in re.findall(r'"(/subscriptions/[^"]+/providers/[^"]+)"', file.read_text()):
            azure.add(id_)


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--group", default="rg-atrium", help="a resource group that is there")
    parser.add_argument("--pace", type=float, default=0.3, help="seconds that a resource takes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as (server, environment):
        server.azure.pace_seconds = options.pace
        server.azure.add_group(options.group)
        prepare(server.azure)
        print(*(f"export {name}={value}" for name, value in environment.items()), sep="\n")
        print("# until Ctrl-C", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
