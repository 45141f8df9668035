"""`manage.py check_network`, as an operator uses it."""

import json
from pathlib import Path

import pytest

from tests.cloud import identity
from tests.portal.network.conftest import Trial

SERVICES = ["openai", "postgres", "redis", "keyvault", "registry", "web"]


def test_a_good_network_is_private_and_works(trial: Trial) -> None:
    seen = trial.check()

    assert "All 6 services are private, and work." in seen.out
    assert "Problem" not in seen.out
    assert seen.code == 0


def test_the_chain_through_the_private_zone_is_shown(trial: Trial) -> None:
    redis = trial.check("--json").services()["redis"]

    assert redis["chain"] == [
        "redis-atrium.westeurope.redis.azure.net",
        "redis-atrium.westeurope.privatelink.redis.azure.net",
    ]
    assert len(redis["addresses"]) == 1
    assert redis["verdict"] == "private"


def test_every_step_of_every_service_is_taken(trial: Trial) -> None:
    services = trial.check("--json").services()

    assert list(services) == SERVICES
    for name, service in services.items():
        steps = {step["step"]: step["outcome"] for step in service["steps"]}
        token = {} if name == "web" else {"token": "ok"}
        assert (
            steps == {"dns": "ok", "address": "ok", "tcp": "ok", "tls": "ok", "call": "ok"} | token
        )


def test_all_are_refused_from_outside(trial_with_public_addresses: Trial) -> None:
    seen = trial_with_public_addresses.check("--outside", fault="outside-all-refused")

    assert "All 6 services are refused from here." in seen.out
    assert "openai, call:    refused: HTTP 403" in seen.out
    assert "redis, tcp:      20.50.2.6:10000 refuses the connection" in seen.out
    assert seen.code == 0


def test_one_open_service_is_called_public(trial_with_public_addresses: Trial) -> None:
    seen = trial_with_public_addresses.check("--outside", fault="outside-redis-answers")

    assert "redis     PUBLIC" in seen.out
    assert "publicNetworkAccess=Disabled" in seen.out
    assert "5 of 6 services are as they should be; 1 PUBLIC." in seen.out
    assert seen.code == 1


def test_one_cause_is_told_once_for_all_services(trial_with_public_addresses: Trial) -> None:
    seen = trial_with_public_addresses.check(fault="custom-dns-does-not-forward")

    assert seen.out.count("likely") == 1
    assert "All of them: the one DNS server is what to repair." in seen.out
    assert "These follow from the above" in seen.out


def test_a_failure_says_what_to_do(trial: Trial) -> None:
    seen = trial.check("--only", "postgres", fault="port-closed")

    assert "Problem 1: tcp-refused" in seen.out
    assert "postgres  FAILED" in seen.out
    assert "  do      - " in seen.out


def test_the_other_steps_go_on_after_a_failure(trial: Trial) -> None:
    redis = trial.check("--json", fault="address-of-this-machine").services()["redis"]

    outcomes = {step["step"]: step["outcome"] for step in redis["steps"]}
    assert outcomes["address"] == "failed"
    assert outcomes["token"] == "ok"


def test_a_service_that_hangs_does_not_hold_up_the_others(trial: Trial) -> None:
    seen = trial.check("--json", "--timeout", "2", fault="service-hangs")

    verdicts = {name: service["verdict"] for name, service in seen.services().items()}
    assert verdicts == dict.fromkeys(SERVICES, "private") | {"web": "failed"}


@pytest.mark.parametrize("fault", ["", "openai-401", "redis-refuses-token", "token-sent-back"])
def test_no_token_is_shown(fault: str, trial: Trial) -> None:
    seen = trial.check("--json", fault=fault)

    assert identity.PREFIX not in seen.out + seen.err


@pytest.mark.parametrize("fault", ["long-dns-answers", "lazy-dns"])
def test_unusual_dns_answers_are_understood(fault: str, trial: Trial) -> None:
    seen = trial.check(fault=fault)

    assert seen.code == 0


def test_an_alias_of_itself_ends(trial: Trial) -> None:
    openai = trial.check("--json", "--only", "openai", fault="alias-of-itself").services()["openai"]

    assert openai["steps"][0]["outcome"] == "failed"
    assert openai["steps"][0]["problem"] != "broken-check"


def test_the_release_app_is_asked_only_for_what_it_may(trial: Trial) -> None:
    services = trial.check("--json", fault="release-app").services()

    outcomes = {
        name: step["outcome"]
        for name, service in services.items()
        for step in service["steps"]
        if step["step"] == "call"
    }
    assert outcomes == dict.fromkeys(SERVICES, "ok") | {"openai": "skipped", "redis": "skipped"}


def test_a_dry_run_asks_nobody(trial: Trial) -> None:
    seen = trial.check("--dry-run", fault="dns-silent")

    assert "GET /openai/v1/models" in seen.out
    assert "list the versions of secret-key, without their values" in seen.out
    assert seen.code == 0


def test_a_plan_of_outputs_is_taken_from_a_file(trial: Trial, tmp_path: Path) -> None:
    outputs = {
        "openAiEndpoint": {"type": "String", "value": "https://oai-atrium.openai.azure.com/"},
        "vnetAddressPrefixes": {"type": "Array", "value": ["10.52.0.0/22"]},
    }
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(outputs), encoding="utf-8")

    seen = trial.check("--plan", str(file), "--only", "openai", "--dry-run")

    assert "oai-atrium.openai.azure.com, port 443" in seen.out
    assert seen.code == 0


@pytest.mark.parametrize(
    ("options", "fault", "said"),
    [
        (["--plan", "/nowhere.json"], "", "cannot be read"),
        ([], "no-plan", "set NETWORK_PLAN, or give --plan FILE"),
        (["--only", "mail"], "", "invalid choice"),
        (["--timeout", "0"], "", "--timeout must be more than 0"),
        (["--azure-dns-server", "dns.example"], "", "is no ADDRESS[:PORT]"),
    ],
)
def test_wrong_usage_ends_with_two(options: list[str], fault: str, said: str, trial: Trial) -> None:
    seen = trial.check(*options, fault=fault)

    assert said in seen.err
    assert seen.code == 2
