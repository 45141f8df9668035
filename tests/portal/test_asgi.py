"""What the web process refuses before anything is read."""

import http.client

import pytest

from tests.stack import Stack


@pytest.mark.parametrize(
    "header", [("Content-Length", "999999999999"), ("Transfer-Encoding", "chunked")]
)
def test_a_body_that_is_too_long_is_refused_before_it_is_read(
    stack: Stack, header: tuple[str, str]
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    connection.putrequest("POST", "/accounts/login/")
    connection.putheader(*header)
    connection.endheaders()

    answer = connection.getresponse()

    assert answer.status == 413
    assert b"too_long" in answer.read()
    connection.close()


def test_alive_needs_no_allowed_host(stack: Stack) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
    connection.request("GET", "/healthz", headers={"Host": "10.0.0.4"})

    answer = connection.getresponse()

    assert (answer.status, answer.read()) == (200, b'{"alive": true}')
    connection.close()
