"""The plan of the network, as it is written and as it is refused."""

import json

import pytest

from portal.network.names import NameServer, parse_server
from portal.network.plan import PORTS, PlanError, read_plan

NAMES = {"openai": "oai.openai.azure.com", "redis": "r.westeurope.redis.azure.net"}


def test_a_plan_of_the_setting_is_read() -> None:
    plan = read_plan(json.dumps({"ranges": ["10.52.0.0/22", "fd00::/64"], "names": NAMES}))

    assert [str(network) for network in plan.ranges] == ["10.52.0.0/22", "fd00::/64"]
    assert [(target.service, target.port) for target in plan.targets] == [
        ("openai", 443),
        ("redis", 10000),
    ]


def test_a_plan_of_plain_outputs_is_read() -> None:
    outputs = {
        "vnetAddressPrefixes": ["10.52.0.0/22"],
        "openAiEndpoint": "https://oai.openai.azure.com/",
        "keyVaultUri": "https://kv.vault.azure.net/",
        "postgresHost": "pg.postgres.database.azure.com",
        "redisHost": "r.westeurope.redis.azure.net",
        "registryLoginServer": "acr.azurecr.io",
        "webHost": "app.azurewebsites.net",
        "publicUrl": "https://atrium.example",
    }

    plan = read_plan(json.dumps(outputs))

    assert [target.service for target in plan.targets] == list(PORTS)
    assert plan.targets[3].host == "kv.vault.azure.net"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "it must be JSON like"),
        ("[]", "it must be a JSON object"),
        ("{}", "no address range"),
        ('{"ranges": ["10.0.0.0/8"], "names": {}}', "no service"),
        ('{"ranges": ["10.0.0.1/8"], "names": {"web": "a"}}', "10.0.0.1/8 is no address range"),
        ('{"ranges": ["10.0.0.0/8"], "names": {"mail": "a"}}', "mail is no service"),
        ('{"ranges": ["10.0.0.0/8"], "names": {"web": "10.0.0.4"}}', "10.0.0.4 is no host name"),
        ('{"ranges": ["10.0.0.0/8"], "names": {"web": "a:b"}}', "a:b is no host name"),
    ],
)
def test_a_wrong_plan_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        read_plan(text)


def test_a_plan_without_a_service_that_is_asked_for_is_refused() -> None:
    plan = read_plan(json.dumps({"ranges": ["10.52.0.0/22"], "names": NAMES}))

    with pytest.raises(PlanError, match="the plan names no web"):
        plan.only(["redis", "web"])


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("10.0.0.4", NameServer("10.0.0.4", 53)),
        ("10.0.0.4:5353", NameServer("10.0.0.4", 5353)),
        ("fd00::4", NameServer("fd00::4", 53)),
        ("[fd00::4]:5353", NameServer("fd00::4", 5353)),
    ],
)
def test_a_dns_server_is_read_with_and_without_a_port(text: str, server: NameServer) -> None:
    assert parse_server(text) == server
