"""The portal takes what the template tells it."""

import os
from pathlib import Path

import pytest
from django.conf import settings

from chat.generation import leaving
from portal import entry
from tests.arm.evaluate import Evaluated
from tests.arm.rules import firewall, gateway
from tests.arm.rules.apps import sites_of
from tests.arm.rules.facts import SECRETS, settings_of
from tests.arm.scenarios import scenario
from tests.commands import manage

ROOT = Path(__file__).parents[2]
# Of App Service (Microsoft, articles/app-service/reference-app-settings.md); 5 where it is not set.
MOST_STOP_SECONDS = 120
# What Celery and uvicorn need for themselves, generously.
OWN_SECONDS = 10
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


def test_the_platform_waits_until_a_process_has_left() -> None:
    limits = {
        role: float(settings_of(site)["WEBSITES_CONTAINER_STOP_TIME_LIMIT"])
        for role, site in sites_of(scenario("gateway-prod")).items()
    }
    pool = settings.DATABASES["default"]["OPTIONS"]["pool"]
    worker = settings.CHAT_LEAVE_SECONDS + leaving.STORE_SECONDS + pool["timeout"] + OWN_SECONDS

    assert max(limits.values()) <= MOST_STOP_SECONDS
    assert limits["worker"] >= worker
    assert limits["web"] >= entry.WEB_LEAVE_SECONDS + OWN_SECONDS
