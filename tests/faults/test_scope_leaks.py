"""Two tenants, many threads and two connections: every piece of work sees its own tenant."""

import http.client
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from chat.models import Generation
from portal.embedded import ports
from portal.embedded.processes import Child, Program
from tenants.models import Membership
from tests.stack import wait_until
from tests.tenants.both import Both, found_both

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 16
SMALL_POOL = {"DATABASE_POOL_SIZE": "2", "DATABASE_OWNER_URL": "", "DATABASE_POOL_TIMEOUT": "30"}


@pytest.fixture
def both() -> Both:
    """Acme and Globex, each with one of everything."""
    return found_both()


def test_scopes_do_not_leak_on_a_pool_of_two(both: Both) -> None:
    command = [sys.executable, "-m", "tests.faults.scopes_under_load", str(THREADS), "40"]

    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=os.environ | SMALL_POOL, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["wrong"] == []
    assert sum(result["done"].values()) == THREADS * 40
    assert len(result["done"]) == 10  # every kind of work


@pytest.fixture
def web(static_files: None, tmp_path: Path) -> Iterator[int]:
    """A web process with two connections; its port."""
    port = ports.free_port(18_500)
    command = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--host", "127.0.0.1"]
    environment = os.environ | SMALL_POOL | {"PUBLIC_URL": f"http://127.0.0.1:{port}"}
    log = tmp_path / "web.log"
    child = Child(Program("web", [*command, "--port", str(port)], log, environment=environment))
    child.start()
    try:
        wait_until(lambda: _is_alive(child, port), what=f"the web process, see {log}")
        yield port
    finally:
        child.stop()


def _is_alive(child: Child, port: int) -> bool:
    child.raise_if_ended()
    try:
        return _ask(port, "/healthz", "")[0] == 200
    except OSError:
        return False


def _ask(port: int, path: str, cookie: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Cookie": cookie, "X-Tenant-Id": "globex"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_requests_over_http_see_their_own_tenant_on_a_pool_of_two(both: Both, web: int) -> None:
    addresses, cookies = {}, {}
    for tenant in (both.acme, both.globex):
        generation = Generation.objects.get(tenant=tenant)
        browser = Client()
        browser.force_login(Membership.objects.get(tenant=tenant).user)
        cookies[tenant.name] = f"sessionid={browser.cookies['sessionid'].value}"
        addresses[tenant.name] = [
            reverse("chat:new_conversation", args=[tenant.slug]),
            reverse("chat:show_conversation", args=[tenant.slug, generation.conversation_id]),
            reverse("chat:stream_generation", args=[tenant.slug, generation.pk]),
            reverse("chat:stop_generation", args=[tenant.slug, generation.pk]),  # GET: 405
        ]
    chance = random.Random(0)

    def ask(number: int) -> str:
        person, owner = chance.choice([*cookies]), chance.choice([*cookies])
        path = chance.choice(addresses[owner])
        status, body = _ask(web, path, cookies[person])
        other = "Globex" if person == "Acme" else "Acme"
        expected = {200, 405} if person == owner else {404, 405}
        is_right = status in expected and f"Secret of {other}" not in body
        return "" if is_right else f"{person} at {path}: {status}"

    with ThreadPoolExecutor(THREADS) as threads:
        wrong = [text for text in threads.map(ask, range(300)) if text]

    assert wrong == []
