"""One HTTP request at a time to the portal, past nothing: no redirect is followed, no proxy used.

The portal repeats the X-Request-Id that a request carries; a gateway that answers by itself does
not. That is how an answer says who gave it.
"""

import http.client
import json
import socket
import ssl
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

ANSWER_SECONDS = 60.0
REQUEST_ID = "X-Request-Id"
# Bytes of an answer's body that are looked at.
_MOST_BODY = 1_000_000


class Unreachable(Exception):
    """There is no answer; the text says why, and is for the operator."""


@dataclass(frozen=True)
class Request:
    """What is sent. `target` is path and query, as they go over the wire."""

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What came back. `is_portals`: the portal has given it, and no gateway before it."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes
    is_portals: bool

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Origin:
    """Where the portal is: scheme, host and port of an address. Raises ValueError."""

    def __init__(self, url: str, *, ca: Path | None = None, insecure: bool = False) -> None:
        address = urlsplit(url)
        if address.scheme not in {"http", "https"} or not _is_sound(address):
            raise ValueError(f"{url!r} is no address like https://chat.example.com")
        if address.path.strip("/") or address.query or address.username:
            raise ValueError("Give scheme and host alone, like https://chat.example.com")
        self.host, self.port = address.hostname or "", address.port
        self.url = f"{address.scheme}://{address.netloc}"
        self._tls = _tls(ca, insecure=insecure) if address.scheme == "https" else None

    def ask(self, request: Request, *, seconds: float = ANSWER_SECONDS) -> Answer:
        """The answer to this request. Raises Unreachable."""
        with self.open(request, seconds=seconds) as (response, is_portals):
            body = response.read(_MOST_BODY)
        return Answer(response.status, response.headers, body, is_portals)

    @contextmanager
    def open(
        self, request: Request, *, seconds: float
    ) -> Iterator[tuple[http.client.HTTPResponse, bool]]:
        """The response as soon as its headers are there, and whether it is the portal's."""
        connection = self._connection(seconds)
        request_id = uuid.uuid4().hex
        try:
            _send(connection, request, request_id)
            response = connection.getresponse()
            yield response, response.headers.get(REQUEST_ID) == request_id
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(_reason(error, self.url)) from error
        finally:
            connection.close()

    def _connection(self, seconds: float) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self.host, self.port, timeout=seconds)
        return http.client.HTTPSConnection(self.host, self.port, timeout=seconds, context=self._tls)


def clock() -> float:
    """Seconds, for differences."""
    return time.monotonic()


def _is_sound(address: SplitResult) -> bool:
    """Whether host and port can be what they are for."""
    try:
        (address.hostname or "").encode("idna")
        return bool(address.hostname) and address.port != 0
    except ValueError:
        return False


def _tls(ca: Path | None, *, insecure: bool) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"{ca} holds no certificates in PEM format: {error}") from error
    if insecure:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _send(connection: http.client.HTTPConnection, request: Request, request_id: str) -> None:
    headers = {"User-Agent": "Mozilla/5.0 (check_stream)", "Accept": "*/*", **request.headers}
    connection.putrequest(request.method, request.target, skip_accept_encoding=True)
    for name, value in {**headers, REQUEST_ID: request_id}.items():
        connection.putheader(name, value.encode())
    if request.body or request.method in {"POST", "PUT"}:
        connection.putheader("Content-Length", str(len(request.body)))
    connection.endheaders()
    # Who refuses a body may close before having read it all; the answer is there all the same.
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send(request.body)


def _reason(error: Exception, url: str) -> str:
    """Why there is no answer, in the operator's words."""
    if isinstance(error, socket.gaierror):
        return f"The name in {url} cannot be resolved here: {error.strerror}."
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message or "not trusted"
        return f"The certificate of {url} is not accepted: {why}. A private CA: --ca FILE."
    if isinstance(error, ssl.SSLError):
        return f"{url} does not speak TLS: {error.reason or error}."
    if isinstance(error, TimeoutError):
        return f"{url} does not answer in time."
    return (
        f"No answer from {url}: {getattr(error, 'strerror', '') or error or type(error).__name__}."
    )
