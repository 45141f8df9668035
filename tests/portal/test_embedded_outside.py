"""Services that the person gives: a wrong value is named in one line, without its password."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.conf import settings

from portal.embedded.errors import EmbeddedError
from portal.embedded.outside import check_outside
from portal.embedded.ports import free_port
from portal.embedded.valkey import Valkey
from tests import servers

CLOSED = f"127.0.0.1:{free_port(28800)}"


class Endpoint(BaseHTTPRequestHandler):
    """Takes one key, on the path of the v1 API."""

    def do_GET(self) -> None:
        keys = {self.headers["Authorization"], self.headers["api-key"]}
        is_known = bool(keys & {"Bearer right", "right"})
        self.send_response(404 if "v1/models" not in self.path else 200 if is_known else 401)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Keep quiet."""


@pytest.fixture
def endpoint() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Endpoint) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def refusal(**environ: str) -> str:
    with pytest.raises(EmbeddedError) as refused:
        check_outside(environ)
    return str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("DATABASE_URL", "mysql://u:secret@h/d", "must look like postgres://"),
        ("DATABASE_URL", "postgres:///d", "must look like postgres://"),
        ("DATABASE_URL", "postgres://u:secret@h:port/d", "is no valid address"),
        ("DATABASE_URL", f"postgres://u:secret@{CLOSED}/d", "Connection refused"),
        ("DATABASE_URL", "postgres://u:secret@nowhere.invalid/d", "no connection to nowhere"),
        ("REDIS_URL", "http://:secret@h", "must look like redis://"),
        ("REDIS_URL", f"redis://:secret@{CLOSED}/0", "Connection refused"),
        ("REDIS_URL", "redis://:secret@nowhere.invalid/0", "cannot be reached"),
        ("OPENAI_BASE_URL", "api.example.com/v1", "must look like https://"),
        ("OPENAI_BASE_URL", f"http://{CLOSED}/v1", "Connection refused"),
        ("AZURE_OPENAI_ENDPOINT", "atrium.openai.azure.com", "must look like https://"),
        ("AZURE_OPENAI_ENDPOINT", f"https://{CLOSED}", "Connection refused"),
    ],
)
def test_a_wrong_value_is_named_in_one_line(name: str, value: str, expected: str) -> None:
    text = refusal(**{name: value})

    assert text.startswith(name)
    assert expected in text
    assert "\n" not in text
    assert "secret" not in text


def test_a_wrong_database_password_is_said_and_not_shown() -> None:
    database = settings.DATABASES["default"]
    url = f"postgres://{database['USER']}:wr0ng@{database['HOST']}:{database['PORT']}/atrium"

    text = refusal(DATABASE_URL=url)

    assert text.startswith("DATABASE_URL: no connection to 127.0.0.1:")
    assert "password authentication failed" in text
    assert "wr0ng" not in text


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        ("", "DATABASE_OWNER_URL is needed with DATABASE_URL"),
        ("mysql://u:secret@h/d", "DATABASE_OWNER_URL must look like postgres://"),
        (servers.postgres.owner_url.replace("owner:", "owner:wr0ng"), "authentication failed"),
        (servers.postgres.url, "DATABASE_OWNER_URL and DATABASE_URL name the same role, atrium"),
        (servers.postgres.superuser_url, "the same host, port and database"),
    ],
)
def test_a_database_of_ones_own_needs_its_owner(owner: str, expected: str) -> None:
    text = refusal(DATABASE_URL=servers.postgres.url, DATABASE_OWNER_URL=owner)

    assert text.startswith("DATABASE_OWNER_URL")
    assert expected in text
    assert "wr0ng" not in text


def test_an_owner_without_its_database_is_refused() -> None:
    text = refusal(DATABASE_OWNER_URL=servers.postgres.owner_url)

    assert text.startswith("DATABASE_OWNER_URL is set without DATABASE_URL")


def test_a_wrong_redis_password_is_said_and_not_shown(tmp_path: Path) -> None:
    with Valkey(tmp_path / "valkey", tmp_path / "log") as valkey:
        text = refusal(REDIS_URL=f"redis://:wr0ng@127.0.0.1:{valkey.port}/0")

        assert text.startswith(f"REDIS_URL: 127.0.0.1:{valkey.port} refuses: WRONGPASS")
        assert "wr0ng" not in text


def test_a_refused_key_is_named_by_its_own_variable(endpoint: str) -> None:
    openai = refusal(OPENAI_BASE_URL=f"{endpoint}/v1", OPENAI_API_KEY="wr0ng")
    azure = refusal(AZURE_OPENAI_ENDPOINT=endpoint, AZURE_OPENAI_API_KEY="wr0ng")

    assert openai.startswith("OPENAI_API_KEY: 127.0.0.1:")
    assert azure.startswith("AZURE_OPENAI_API_KEY: 127.0.0.1:")
    assert "wr0ng" not in openai + azure


def test_right_values_pass(endpoint: str) -> None:
    check_outside({"OPENAI_BASE_URL": f"{endpoint}/v1", "OPENAI_API_KEY": "right"})
    check_outside({"AZURE_OPENAI_ENDPOINT": endpoint, "AZURE_OPENAI_API_KEY": "right"})
    check_outside({"AZURE_OPENAI_ENDPOINT": f"{endpoint}/openai/v1/"})  # with a managed identity
    check_outside({"REDIS_URL": settings.REDIS_URL})
    check_outside(
        {
            "DATABASE_URL": servers.postgres.url,
            "DATABASE_OWNER_URL": servers.postgres.owner_url,
        }
    )
