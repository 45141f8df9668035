"""The provider's connections: kept, opened anew, and closed."""

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from chat.provider.transport import Transport
from tests.cloud.certificates import Authority
from tests.cloud.tls_server import TlsServer

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHello"
Serve = Callable[..., "Future[int]"]


@pytest.fixture
def client() -> Iterator[httpx2.Client]:
    with httpx2.Client(transport=Transport(), timeout=5) as client:
        yield client


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        yield server


@pytest.fixture
def serve(listener: socket.socket) -> Iterator[Serve]:
    """Answer connections one by one, each with these responses; gives how many there were."""

    def answer(*connections: list[bytes]) -> int:
        for responses in connections:
            accepted, _ = listener.accept()
            with closing(accepted):
                for response in responses:
                    assert accepted.recv(65_536)
                    accepted.sendall(response)
        return len(connections)

    with ThreadPoolExecutor(1) as threads:
        yield lambda *connections: threads.submit(answer, *connections)


def address(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def test_a_connection_is_kept_for_the_next_call(
    client: httpx2.Client, listener: socket.socket, serve: Serve
) -> None:
    served = serve([HELLO, HELLO])

    texts = [client.get(address(listener)).text for _ in range(2)]

    assert texts == ["Hello", "Hello"]
    assert served.result() == 1


def test_a_connection_that_was_closed_meanwhile_is_opened_anew(
    client: httpx2.Client, listener: socket.socket, serve: Serve
) -> None:
    first = serve([HELLO])
    client.get(address(listener))
    first.result()
    serve([HELLO])

    assert client.get(address(listener)).text == "Hello"


def test_a_response_that_is_not_read_to_its_end_closes_its_connection(
    client: httpx2.Client, listener: socket.socket, serve: Serve
) -> None:
    serve([HELLO[:-2]], [HELLO])

    with client.stream("GET", address(listener)) as response:
        next(response.iter_raw())

    assert client.get(address(listener)).text == "Hello"


@pytest.mark.parametrize(
    "response",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(HELLO[:-2], id="cut in its body"),
        pytest.param(HELLO[:20], id="cut in its head"),
        pytest.param(b"Hello\r\n\r\n", id="no HTTP"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            id="another protocol",
        ),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n", id="no more than hints"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3_000, id="endless hints"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"x" * 70_000, id="an endless head"),
    ],
)
def test_what_is_no_whole_response_is_an_error(
    client: httpx2.Client, listener: socket.socket, serve: Serve, response: bytes
) -> None:
    serve([response])

    with pytest.raises(httpx2.TransportError):
        client.get(address(listener))


def test_a_body_without_a_length_ends_with_its_connection(
    client: httpx2.Client, listener: socket.socket, serve: Serve
) -> None:
    serve([b"HTTP/1.1 200 OK\r\n\r\nHello"])

    assert client.get(address(listener)).text == "Hello"


def test_what_comes_before_the_response_is_passed_over(
    client: httpx2.Client, listener: socket.socket, serve: Serve
) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    serve([b"HTTP/1.1 100 Continue\r\n\r\n" + hints + HELLO])

    response = client.get(address(listener))

    assert (response.status_code, response.text) == (200, "Hello")
    assert dict(response.headers) == {"content-length": "5"}


@pytest.mark.parametrize(
    "unasked", [b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nBye", b"Bye"]
)
def test_what_comes_after_the_response_is_left_and_closes_the_connection(
    client: httpx2.Client, listener: socket.socket, serve: Serve, unasked: bytes
) -> None:
    served = serve([HELLO + unasked], [HELLO])

    responses = [client.get(address(listener)) for _ in range(2)]

    assert [(each.status_code, each.text) for each in responses] == [(200, "Hello")] * 2
    assert served.result() == 2


def say_hello(connection: ssl.SSLSocket) -> None:
    while connection.recv(65_536):
        connection.sendall(HELLO)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Whom this process trusts."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


def test_a_place_with_a_good_certificate_is_called(authority: Authority) -> None:
    with (
        TlsServer(say_hello, authority.issue("127.0.0.1")) as server,
        httpx2.Client(transport=Transport(), timeout=5) as client,
    ):
        texts = [client.get(f"https://127.0.0.1:{server.port}/").text for _ in range(2)]

    assert texts == ["Hello", "Hello"]


def test_a_place_with_another_ones_certificate_is_not_called(authority: Authority) -> None:
    with (
        TlsServer(say_hello, authority.issue("other.test")) as server,
        httpx2.Client(transport=Transport(), timeout=5) as client,
        pytest.raises(httpx2.ConnectError, match="certificate"),
    ):
        client.get(f"https://127.0.0.1:{server.port}/")


def test_who_speaks_no_tls_is_not_called_with_it(
    client: httpx2.Client, listener: socket.socket, serve: Serve
) -> None:
    serve([HELLO])

    with pytest.raises(httpx2.ConnectError):
        client.get(address(listener).replace("http:", "https:"))
