"""The portal takes what the template tells it."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from tests.arm.evaluate import Evaluated
from tests.arm.rules import firewall, gateway
from tests.arm.rules.apps import sites_of
from tests.arm.rules.facts import SECRETS, settings_of
from tests.arm.scenarios import scenario
from tests.commands import manage

ROOT = Path(__file__).parents[2]
# What `infra`, `release` and people read.
OUTPUTS = {
    "publicUrl": "string",
    "hostName": "string",
    "webAppName": "string",
    "workerAppName": "string",
    "beatAppName": "string",
    "releaseAppName": "string",
    "webHost": "string",
    "registryName": "string",
    "registryLoginServer": "string",
    "keyVaultName": "string",
    "keyVaultUri": "string",
    "openAiName": "string",
    "openAiEndpoint": "string",
    "postgresName": "string",
    "postgresHost": "string",
    "databaseName": "string",
    "redisName": "string",
    "redisHost": "string",
    "redisPort": "int",
    "appIdentityName": "string",
    "appIdentityClientId": "string",
    "releaseIdentityName": "string",
    "deployments": "array",
    "vnetId": "string",
    "vnetAddressPrefixes": "array",
    "gatewayPublicIp": "string",
    "gatewayPrivateIp": "string",
    "resolverInboundIp": "string",
    "image": "string",
}


@pytest.mark.parametrize(("name", "role"), [("gateway-prod", "web"), ("private-dev", "release")])
def test_settings_of_a_site_pass_djangos_check_for_deployment(name: str, role: str) -> None:
    secrets = {"SECRET_KEY": SECRETS["djangoSecretKey"] * 3, "EMAIL_URL": SECRETS["emailUrl"]}
    told = {**settings_of(sites_of(scenario(name))[role]), **secrets}

    environment = {"PATH": os.environ["PATH"], **told}
    check = manage("check", "--deploy", "--fail-level", "WARNING", env=environment)

    assert check.returncode == 0, check.stderr


def test_every_output_that_the_commands_read_exists(e: Evaluated) -> None:
    assert e.output_types == OUTPUTS


def test_limits_of_the_gateway_are_those_of_the_portal() -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == firewall.BODY_LIMIT_BYTES
    assert settings.CHAT_STREAM_HEARTBEAT_SECONDS == gateway.HEARTBEAT_SECONDS


def test_the_platform_waits_longer_for_a_worker_than_the_worker_for_its_answers() -> None:
    stop_limits = {
        role: float(settings_of(site)["WEBSITES_CONTAINER_STOP_TIME_LIMIT"])
        for role, site in sites_of(scenario("private-prod")).items()
    }

    assert stop_limits["worker"] <= MOST_STOP_SECONDS
    assert stop_limits["worker"] >= settings.CHAT_LEAVE_SECONDS + leaving.LONGEST_END_SECONDS
    assert stop_limits["web"] > GRACEFUL_SECONDS
