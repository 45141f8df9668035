"""The provider's connections: kept, opened anew, and closed."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing

import httpx2
import pytest

from chat.provider.transport import Transport

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


def test_who_speaks_no_tls_is_not_called_with_it(
    client: httpx2.Client, listener: socket.socket, serve: Serve
) -> None:
    serve([HELLO])

    with pytest.raises(httpx2.ConnectError):
        client.get(address(listener).replace("http:", "https:"))
