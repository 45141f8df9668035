"""The door to the provider: what it yields, and the code of every failure."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import httpx2
import pytest
from django.test import override_settings

from chat import provider
from chat.errors import ProviderError
from chat.models import Deployment
from chat.provider import Piece, Usage, sdk
from chat.provider.chunks import read_pieces
from tests.upstream import Fault, Refusal, Reply, Silence, Upstream, refusals

HELLO = [{"role": "user", "content": "Hello"}]


@pytest.fixture
def new_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clients of the test's own, which see its settings."""
    with ExitStack() as opened:
        make = sdk._client.__wrapped__
        monkeypatch.setattr(sdk, "_client", lambda *a: opened.enter_context(make(*a)))
        yield


def read(deployment: Deployment) -> Piece:
    """The whole reply as one piece."""
    pieces = list(provider.stream_reply(deployment, HELLO))
    return Piece(
        text="".join(piece.text for piece in pieces),
        finish_reason="".join(piece.finish_reason for piece in pieces),
        filter_category="".join(piece.filter_category for piece in pieces),
        usage=next((piece.usage for piece in pieces if piece.usage), None),
    )


def failure(deployment: Deployment) -> ProviderError:
    """The error that reading the reply raises."""
    with pytest.raises(ProviderError) as caught:
        read(deployment)
    return caught.value


def test_a_reply_comes_with_finish_reason_and_usage(
    deployment: Deployment, upstream: Upstream
) -> None:
    upstream.says("Good day.")

    piece = read(deployment)

    request = upstream.requests[0]
    assert (piece.text, piece.finish_reason) == ("Good day.", "stop")
    assert piece.usage == Usage(request.input_tokens, request.output_tokens)
    assert request.body["model"] == "small-1"
    assert request.authorization == "Bearer a-key-of-the-tests"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_reply_split_at_any_byte_is_whole(
    deployment: Deployment, upstream: Upstream, size: int
) -> None:
    text = "Grüße, 東京 \u2028 and \x85 “quoted” \\n {“json”: [1]}"
    upstream.always(Reply([text], split_bytes=size))

    assert read(deployment).text == text


def cut(body: bytes, size: int) -> list[bytes]:
    """The body in reads of this size."""
    return [body[at : at + size] for at in range(0, len(body), size)]


def event(text: str, *, end: str = "\n\n") -> bytes:
    """A chunk of the protocol with this text."""
    return f"data: {json.dumps({'choices': [{'delta': {'content': text}}]})}{end}".encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_end_with_a_blank_line_of_either_kind(size: int) -> None:
    ends = ["\n\n", "\r\n\r\n", "\n\r\n", "\r\n\n", "\n\n\n", "\r\n: a comment\r\n\r\n", ""]
    body = b"".join(event(f"{at} ", end=end) for at, end in enumerate(ends))

    assert "".join(piece.text for piece in read_pieces(cut(body, size))) == "0 1 2 3 4 5 6 "


def test_ten_megabytes_in_one_event_are_read() -> None:
    text = "x" * 10_000_000

    assert [len(piece.text) for piece in read_pieces(cut(event(text), 1_400))] == [len(text)]


def test_an_event_without_an_end_is_given_up() -> None:
    pieces = read_pieces([event("Hello"), *[b"x" * 1_000_000] * 20])

    assert next(pieces).text == "Hello"
    with pytest.raises(ProviderError, match="malformed"):
        next(pieces)


def test_unknown_events_fields_and_comments_are_ignored(
    deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply("Still here.", fault=Fault.NOISE, fault_at=1))

    assert read(deployment).text == "Still here."


@pytest.mark.parametrize("usage", [None, "counted"])
def test_azures_first_chunk_and_a_missing_usage_are_fine(
    deployment: Deployment, upstream: Upstream, usage: str | None
) -> None:
    upstream.always(Reply("Hello", azure=True, usage=usage))

    piece = read(deployment)

    assert (piece.text, piece.usage is None) == ("Hello", usage is None)


def test_a_stream_without_a_finish_reason_says_so(
    deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(Reply("Half an", finish_reason=None))

    assert read(deployment).finish_reason == ""


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (refusals.unauthorised(), "unauthorised"),
        (refusals.forbidden_by_gateway(), "unauthorised"),
        (refusals.deployment_not_found(), "unavailable"),
        (refusals.context_too_long(), "context_too_long"),
        (refusals.rate_limited(), "rate_limited"),
        (refusals.server_error(), "unavailable"),
        (refusals.overloaded(), "unavailable"),
        (refusals.no_event_stream(), "malformed"),
        (refusals.plain(400, error="odd"), "malformed"),
        (Refusal(302, b"", {"Location": "http://127.0.0.1:9/"}), "malformed"),
        (Reply("a b c d", fault=Fault.MALFORMED, fault_at=2), "malformed"),
        (Reply("a b c d", fault=Fault.RESET, fault_at=2), "unavailable"),
        (Reply("a b c d", fault=Fault.CUT, fault_at=2), "unavailable"),
        (Reply("a b c d", fault=Fault.ERROR, fault_at=2), "unavailable"),
    ],
)
def test_every_failure_has_a_code(
    deployment: Deployment, upstream: Upstream, script: Reply | Refusal, code: str
) -> None:
    upstream.always(script)

    assert failure(deployment).code == code


@pytest.mark.parametrize("as_date", [True, False])
def test_a_rate_limit_keeps_its_retry_after(
    deployment: Deployment, upstream: Upstream, *, as_date: bool
) -> None:
    upstream.always(refusals.rate_limited(12, as_date=as_date))

    seconds = failure(deployment).retry_after_seconds

    assert seconds is not None
    assert 10 <= seconds <= 12


def test_a_filtered_prompt_names_side_and_category(
    deployment: Deployment, upstream: Upstream
) -> None:
    upstream.always(refusals.content_filter("self_harm"))

    error = failure(deployment)

    assert (error.code, error.side, error.category) == ("filtered", "prompt", "self_harm")


def test_a_host_that_answers_nothing_is_a_timeout(
    deployment: Deployment, upstream: Upstream, new_clients: None
) -> None:
    upstream.always(Silence())

    with override_settings(MODEL_FIRST_TOKEN_SECONDS=0.5):
        assert failure(deployment).code == "timeout"


def test_a_host_that_nobody_allowed_gets_no_key(deployment: Deployment, upstream: Upstream) -> None:
    deployment.endpoint = upstream.base_url.replace("127.0.0.1", "localhost")

    assert failure(deployment).code == "unavailable"
    assert not upstream.requests


def test_a_closed_port_is_unavailable(deployment: Deployment) -> None:
    deployment.endpoint = "http://127.0.0.1:9/v1"

    assert failure(deployment).code == "unavailable"


PROXIES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch, new_clients: None) -> None:
    """An environment that names none; new clients look at it."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def first_line(server: socket.socket) -> bytes:
    """Of what the next to connect says; gets no answer."""
    connection, _ = server.accept()
    with connection:
        return connection.recv(65_536).partition(b"\r\n")[0]


@pytest.mark.parametrize("name", ["ALL_PROXY", "{scheme}_PROXY"])
@pytest.mark.parametrize(
    ("scheme", "line"),
    [
        ("http", b"POST http://model.test/v1/chat/completions HTTP/1.1"),
        ("https", b"CONNECT model.test:443 HTTP/1.1"),
    ],
)
def test_a_proxy_that_the_environment_names_is_asked(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, no_proxies: None,
    name: str, scheme: str, line: bytes,
) -> None:  # fmt: skip
    deployment.endpoint = f"{scheme}://model.test/v1"

    with socket.create_server(("127.0.0.1", 0)) as proxy, ThreadPoolExecutor(1) as threads:
        proxy.settimeout(5)
        address = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        monkeypatch.setenv(name.format(scheme=scheme).upper(), address)
        asked = threads.submit(first_line, proxy)
        with override_settings(MODEL_HOSTS={"model.test"}):
            failure(deployment)

    assert asked.result() == line


def test_a_host_that_needs_no_proxy_is_called_without(
    deployment: Deployment, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    assert read(deployment).text == "Hello from the model."


def test_without_a_proxy_the_portals_own_transport_is_used(
    deployment: Deployment, no_proxies: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = httpx2.MockTransport(lambda _: httpx2.Response(429))
    monkeypatch.setattr(sdk, "Transport", lambda: busy)

    assert failure(deployment).code == "rate_limited"


def token_of_the_test() -> str:
    """A token provider, as portal.azure is one."""
    return "a-token-of-the-identity"


@pytest.mark.parametrize(
    ("key", "sent"), [("", "a-token-of-the-identity"), ("an-azure-key", "an-azure-key")]
)
def test_azure_is_called_on_its_v1_path_with_token_or_key(
    deployment: Deployment, upstream: Upstream, new_clients: None, key: str, sent: str
) -> None:
    deployment.kind, deployment.endpoint = Deployment.Kind.AZURE, upstream.origin

    with override_settings(
        AZURE_OPENAI_API_KEY=key,
        MODEL_TOKEN_PROVIDER="tests.chat.test_provider.token_of_the_test",
    ):
        read(deployment)

    assert upstream.requests[0].path == "/openai/v1/chat/completions"
    assert upstream.requests[0].authorization == f"Bearer {sent}"
