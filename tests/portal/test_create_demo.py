"""`create_demo`: two tenants, their people and a model, from any endpoint."""

import io
import json
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from chat.models import Deployment, DeploymentGrant
from tenants.models import AuditEvent, Membership, Tenant, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_passwords(settings: Settings) -> None:
    """Hash the ten passwords fast: how they are hashed is not the subject here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


class Endpoint:
    """A model endpoint that answers GET /v1/models with what it is told."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.base_url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        self.status = 200
        self.body = ""
        self.asked: list[tuple[str, str]] = []

    def offers(self, *models: dict[str, Any]) -> None:
        """Have it list these models."""
        self.body = json.dumps({"object": "list", "data": list(models)})


@pytest.fixture
def endpoint(settings: Settings) -> Iterator[Endpoint]:
    """The configured endpoint, which offers the embedded model."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers.get("Authorization", "")))
            self.send_response(told.status)
            self.end_headers()
            self.wfile.write(told.body.encode())

        def log_message(self, *args: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told = Endpoint(server)
    told.offers({"id": "smollm2-135m-instruct", "meta": {"n_ctx_train": 8192}})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = told.base_url, "a-key"
    settings.AZURE_OPENAI_ENDPOINT = ""
    yield told
    server.shutdown()
    server.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The accounts file."""
    return tmp_path / "accounts.json"


def create_demo(path: Path, **options: Any) -> list[dict[str, Any]]:
    """The accounts that the command prints."""
    output = io.StringIO()
    call_command("create_demo", accounts=path, stdout=output, **options)
    accounts: list[dict[str, Any]] = json.loads(output.getvalue())["accounts"]
    return accounts


def test_the_demo_has_two_tenants_and_people_of_every_kind(endpoint: Endpoint, path: Path) -> None:
    accounts = create_demo(path)

    assert set(Tenant.objects.values_list("name", flat=True)) == {"Northwind", "Harbour"}
    for tenant in Tenant.objects.all():
        roles = sorted(tenant.memberships.values_list("role", flat=True))
        assert roles == ["manager", "member", "member", "member", "owner"]
        assert tenant.notice
    both = [account for account in accounts if len(account["tenants"]) == 2]
    administrators = [account for account in accounts if account["role"] == "administrator"]
    assert (len(both), len(administrators), len(accounts)) == (1, 1, 10)
    assert User.objects.get(is_superuser=True).email == administrators[0]["email"]


def test_every_account_signs_in_with_its_printed_password(
    endpoint: Endpoint, path: Path, client: Client
) -> None:
    for account in create_demo(path):
        assert client.login(email=account["email"], password=account["password"]), account


def test_the_embedded_model_is_named_plainly_as_a_demo(endpoint: Endpoint, path: Path) -> None:
    create_demo(path)

    deployment = Deployment.objects.get()
    assert deployment.label == "Demo model (SmolLM2 135M)"
    assert "often wrong" in deployment.purpose
    assert (deployment.kind, deployment.endpoint) == ("openai", "")
    assert (deployment.model, deployment.context_window) == ("smollm2-135m-instruct", 2048)
    assert DeploymentGrant.objects.filter(is_default=True).count() == 2
    assert endpoint.asked == [("/v1/models", "Bearer a-key")]


def test_a_repeat_changes_nothing_and_prints_the_same(endpoint: Endpoint, path: Path) -> None:
    first = create_demo(path)
    hashes = dict(User.objects.values_list("email", "password"))
    events = AuditEvent.objects.count()

    second = create_demo(path)

    assert second == first
    assert dict(User.objects.values_list("email", "password")) == hashes
    assert AuditEvent.objects.count() == events
    assert Membership.objects.count() == 10


def test_the_accounts_file_is_its_owners_alone(endpoint: Endpoint, path: Path) -> None:
    create_demo(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lost_passwords_are_replaced(endpoint: Endpoint, path: Path, client: Client) -> None:
    before = create_demo(path)
    path.unlink()

    after = create_demo(path)

    assert before != after
    assert client.login(email=after[0]["email"], password=after[0]["password"])


def test_an_emptied_database_gets_the_kept_passwords(
    endpoint: Endpoint, path: Path, client: Client
) -> None:
    path.write_text(json.dumps({"olivia@northwind.example": "kept-from-before"}))

    accounts = create_demo(path)

    assert accounts[0]["password"] == "kept-from-before"
    assert client.login(email="olivia@northwind.example", password="kept-from-before")


def test_the_model_follows_the_endpoint_and_the_default_follows_the_administrator(
    endpoint: Endpoint, path: Path
) -> None:
    create_demo(path)
    grant = DeploymentGrant.objects.get(tenant__slug="harbour")
    grant.is_default = False
    grant.save()
    other = Deployment.objects.create(
        name="other", label="Other", kind="openai", model="m", context_window=4096
    )
    DeploymentGrant.objects.create(deployment=other, tenant=grant.tenant, is_default=True)
    endpoint.offers({"id": "bigger-model", "max_model_len": 32_768})

    create_demo(path)

    deployment = Deployment.objects.get(name="demo")
    assert (deployment.model, deployment.label) == ("bigger-model", "bigger-model")
    assert deployment.context_window == 32_768
    assert DeploymentGrant.objects.get(is_default=True, tenant=grant.tenant).deployment == other


def test_one_of_several_models_has_to_be_named(endpoint: Endpoint, path: Path) -> None:
    endpoint.offers({"id": "a"}, {"id": "b"})

    with pytest.raises(CommandError, match=r"offers 2 models. Say which .* --model"):
        create_demo(path)
    create_demo(path, model="b")

    assert Deployment.objects.get().model == "b"


@pytest.mark.parametrize(
    ("status", "body", "complaint"),
    [
        (401, "", "refuses to list its models (401)"),
        (200, "<html>", "does not list its models as OpenAI's do"),
        (200, "[]", "does not list its models as OpenAI's do"),
        (200, '{"data": [7]}', "does not list its models as OpenAI's do"),
    ],
)
def test_an_endpoint_that_answers_nonsense_leaves_nothing_half_made(
    endpoint: Endpoint, path: Path, status: int, body: str, complaint: str
) -> None:
    endpoint.status, endpoint.body = status, body

    with pytest.raises(CommandError) as refusal:
        create_demo(path)

    assert complaint in str(refusal.value)
    assert not Tenant.objects.exists()
    assert not path.exists()


def test_an_endpoint_that_does_not_answer_leaves_nothing_half_made(
    settings: Settings, path: Path
) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:1/v1"

    with pytest.raises(CommandError, match=r"\(127.0.0.1\) does not answer: Connection refused"):
        create_demo(path)

    assert not Tenant.objects.exists()
    assert not path.exists()


def test_an_accounts_file_that_cannot_be_written_leaves_nothing_half_made(
    endpoint: Endpoint, path: Path
) -> None:
    (path.parent / "file").write_text("in the way")

    with pytest.raises(CommandError, match=r"cannot be (written|read): "):
        create_demo(path.parent / "file" / "accounts.json")

    assert not Tenant.objects.exists()


def test_a_broken_accounts_file_is_not_overwritten(endpoint: Endpoint, path: Path) -> None:
    path.write_text("[1]")

    with pytest.raises(CommandError, match="is no accounts file"):
        create_demo(path)

    assert path.read_text() == "[1]"


def test_azure_needs_the_name_of_a_deployment(settings: Settings, path: Path) -> None:
    settings.OPENAI_BASE_URL = ""
    settings.AZURE_OPENAI_ENDPOINT = "https://atrium.openai.azure.com"

    with pytest.raises(CommandError, match="Say --model"):
        create_demo(path)
    create_demo(path, model="gpt-prod")

    deployment = Deployment.objects.get()
    assert (deployment.kind, deployment.model, deployment.label) == (
        "azure",
        "gpt-prod",
        "gpt-prod",
    )


def test_without_any_endpoint_it_says_which_setting_is_missing(
    settings: Settings, path: Path
) -> None:
    settings.OPENAI_BASE_URL = settings.AZURE_OPENAI_ENDPOINT = ""

    with pytest.raises(CommandError, match="Set OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT"):
        create_demo(path)
