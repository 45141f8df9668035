"""The portal as people reach it: a web process with a public https address, behind a gateway."""

import os
import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import httpx2
import pytest
from django.core.cache import cache

from portal.embedded import ports
from portal.embedded.processes import Child, Program
from tests.cloud.certificates import Authority, Certificate
from tests.gateway.browser import HOST, PUBLIC_URL, Browser
from tests.gateway.nginx import Behaviour, Gateway
from tests.stack import Stack, environment_for, wait_until

# What App Service calls the site itself.
OWN_HOST = "app-atrium-web.azurewebsites.net"
GATEWAY_ADDRESS = "127.0.0.4"
PLATFORM_ADDRESS = "127.0.0.5"


@dataclass(frozen=True)
class Web:
    """A web process that is told of its gateway, and of its platform's front end."""

    url: str
    process: Child


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Whom browsers trust."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def trust(authority: Authority) -> ssl.SSLContext:
    """What a browser verifies the gateway with."""
    return authority.client_context()


@pytest.fixture(scope="session")
def certificate(authority: Authority) -> Certificate:
    """The gateway's, also for the address at which the tests reach it."""
    return authority.issue(HOST, "127.0.0.1")


@pytest.fixture(scope="session")
def _web(_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Beside the stack's own, with its worker, its beat and its database."""
    port = ports.free_port(24_000 + os.getpid() % 900)
    environment = environment_for(
        PUBLIC_URL=PUBLIC_URL,
        ALLOWED_HOSTS=f"{HOST},{OWN_HOST}",
        GATEWAY_NETWORKS=f"{GATEWAY_ADDRESS}/32",
        PLATFORM_NETWORKS=f"{PLATFORM_ADDRESS}/32",
    )
    command = [sys.executable, "-m", "portal.entry", "web"]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    log = tmp_path_factory.mktemp("public") / "web.log"
    process = Child(Program("web", command, log=log, environment=environment))
    process.start()
    web = Web(f"http://127.0.0.1:{port}", process)
    wait_until(lambda: _is_ready(web), what=f"/readyz, see {log}")
    yield web
    process.stop()


def _is_ready(web: Web) -> bool:
    web.process.raise_if_ended()
    try:
        return httpx2.get(f"{web.url}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.fixture
def web(_web: Web, stack: Stack) -> Web:
    """The web process behind the gateway; nobody has tried to sign in before."""
    cache.clear()
    return _web


@pytest.fixture(scope="session")
def _gateway(_web: Web, certificate: Certificate) -> Iterator[Gateway]:
    behaviour = Behaviour(source=GATEWAY_ADDRESS)
    with Gateway(_web.url, **certificate._asdict(), behaviour=behaviour) as gateway:
        yield gateway


@pytest.fixture
def gateway(_gateway: Gateway, web: Web) -> Gateway:
    """The gateway in front of `web`: keeps the host, buffers no answers."""
    return _gateway


@pytest.fixture
def browser(gateway: Gateway, trust: ssl.SSLContext) -> Iterator[Browser]:
    """In which nobody is signed in."""
    with Browser(gateway.url, trust) as browser:
        yield browser
