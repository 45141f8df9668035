"""What can be changed in a good private network, and the shape of a fault."""

import os
import ssl
from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings

from tests.cloud import layouts
from tests.cloud.private_network import NAMES, PrivateNetwork
from tests.cloud.tls_server import Manner
from tests.cloud.tls_server_http import Answer

Change = Callable[[PrivateNetwork], object]
Settings = Callable[[], dict[str, Any]]


class Fault(NamedTuple):
    """What is done to one service, at which step it shows, and as which problem."""

    service: str
    step: str
    problem: str
    change: Change
    settings: Settings = dict
    options: tuple[str, ...] = ()
    needs_namespace: bool = False


def public(network: PrivateNetwork, service: str) -> tuple[str, str]:
    return "A", network.layout.address(service, is_public=True)


def unlink(service: str) -> Change:
    """The zone is not linked: Azure's DNS gives the public address."""

    def change(network: PrivateNetwork) -> None:
        network.azure_dns.records[NAMES[service][1]] = public(network, service)

    return change


def record(service: str, which: int, *record: str) -> Change:
    """Another record for the public (0) or the private (1) name; none: it is gone."""

    def change(network: PrivateNetwork) -> None:
        network.azure_dns.records.pop(NAMES[service][which])
        if record:
            network.azure_dns.records[NAMES[service][which]] = (record[0], record[1])

    return change


def manner(service: str, manner: Manner) -> Change:
    return lambda network: setattr(network.servers[service], "manner", manner)


def answer(service: str, answer: Answer) -> Change:
    return lambda network: setattr(network.http[service], "answer", answer)


def answer_outside(service: str, answer: Answer | None = None) -> Change:
    return lambda network: setattr(network.outside[service], "answer", answer)


def open_outside(service: str) -> Change:
    return lambda network: setattr(network.public[service], "manner", Manner.WELL)


def certificate(service: str, *names: str, expired: bool = False, strange: bool = False) -> Change:
    def change(network: PrivateNetwork) -> None:
        authority = network.stranger if strange else network.authority
        issued = authority.issue(*(names or NAMES[service][:1]), expired=expired)
        network.servers[service].certificate = issued

    return change


def ask_custom(network: PrivateNetwork) -> None:
    network.ask(network.custom_dns)


def ask_empty(network: PrivateNetwork) -> None:
    network.custom_dns.records.clear()
    network.ask(network.custom_dns)


def ask_azure(network: PrivateNetwork) -> None:
    network.ask(network.azure_dns)


def ask_without_token(network: PrivateNetwork) -> None:
    forget_identity(network)
    network.outside["keyvault"].answer = None


def deny_exchange(network: PrivateNetwork) -> None:
    network.http["registry"].is_stranger = True


def outside(service: str, step: str, problem: str, change: Change) -> Fault:
    """Seen from outside, where public DNS is asked."""

    def both(network: PrivateNetwork) -> None:
        network.ask(network.custom_dns)
        change(network)

    return Fault(service, step, problem, both, options=("--outside",), needs_namespace=True)


def ask_custom_alone(network: PrivateNetwork) -> None:
    network.ask(network.custom_dns)
    network.azure_dns.is_silent = True


def silence_dns(network: PrivateNetwork) -> None:
    network.azure_dns.is_silent = True


def write_hosts(network: PrivateNetwork) -> None:
    layouts.write_hosts(f"{network.layout.elsewhere} {NAMES['openai'][0]}")


def forget_identity(network: PrivateNetwork) -> None:
    network.identity.known_clients = set()


def lose_identity_endpoint(network: PrivateNetwork) -> None:
    os.environ["IDENTITY_ENDPOINT"] = "http://127.0.0.1:9/msi/token"


def lose_row_security(network: PrivateNetwork) -> None:
    network.superuser("ALTER ROLE atrium BYPASSRLS")


def nothing(_network: PrivateNetwork) -> None:
    """Change nothing: the fault is in the settings."""


def _say_nothing(_secure: ssl.SSLSocket) -> None:
    """Hang up."""


def break_off(network: PrivateNetwork) -> None:
    network.servers["redis"].speak = _say_nothing


def disable_secret(network: PrivateNetwork) -> None:
    network.http["keyvault"].secret_versions = [{"attributes": {"enabled": False}}]


def send_back(network: PrivateNetwork) -> None:
    """A service that says what it was sent."""
    network.http["openai"].sends_back = True


def release() -> dict[str, Any]:
    """The release app has the address of the administrator, whose identity is its own."""
    database = settings.DATABASES["default"]
    place = f"{database['HOST']}:{database['PORT']}"
    return {"DATABASE_ADMIN_SECRET_URL": f"postgres://atrium@{place}/postgres"}


def database(**changes: str) -> Settings:
    """DATABASES with another role or name, or other options of libpq; an empty one is left out."""

    def change() -> dict[str, Any]:
        default = settings.DATABASES["default"]
        options = {**default["OPTIONS"], **changes}
        role = options.pop("role", default["USER"])
        name = options.pop("name", default["NAME"])
        kept = {name: value for name, value in options.items() if value}
        return {"DATABASES": {"default": {**default, "USER": role, "NAME": name, "OPTIONS": kept}}}

    return change


def having(**values: Any) -> Settings:
    return lambda: values
