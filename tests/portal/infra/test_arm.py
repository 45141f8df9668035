"""The door to Azure's resource manager, against a real server."""

import pytest
from pytest_django.fixtures import Settings

from portal.infra.arm import Arm, ArmError
from tests.cloud.arm_answers import Answer, refusal
from tests.cloud.arm_run import CORRELATION
from tests.cloud.arm_server import ArmServer
from tests.portal.infra.conftest import GROUP

GROUPS = "2021-04-01"


@pytest.fixture
def arm(arm_server: ArmServer) -> Arm:
    return Arm(arm_server.azure.subscription)


def test_a_resource_is_read_and_a_missing_one_is_none(arm: Arm) -> None:
    found, missing = arm.find(arm.group(GROUP), GROUPS), arm.find(arm.group("other"), GROUPS)

    assert found
    assert found["location"] == "westeurope"
    assert missing is None


def test_an_error_carries_code_text_and_correlation_id(arm: Arm) -> None:
    with pytest.raises(ArmError) as caught:
        arm.get(arm.group("other"), GROUPS)

    error = caught.value
    assert (error.status, error.code) == (404, "ResourceGroupNotFound")
    assert error.text == "Resource group 'other' could not be found."
    assert error.correlation_id == CORRELATION


def test_throttling_is_waited_for_as_long_as_azure_says(arm: Arm, arm_server: ArmServer) -> None:
    slow_down = refusal(429, "SubscriptionRequestsThrottled", "too many", Retry_After="1")
    arm_server.answer_next("GET", f"/{GROUP}$", slow_down)

    assert arm.get(arm.group(GROUP), GROUPS)

    assert len(arm_server.requests("GET", f"/{GROUP}$")) == 2


@pytest.mark.parametrize("fault", [None, refusal(503, "ServerBusy", "busy")])
def test_a_lost_connection_and_a_server_error_are_tried_again(
    arm: Arm, arm_server: ArmServer, fault: Answer | None
) -> None:
    arm_server.answer_next("GET", f"/{GROUP}$", fault)

    assert arm.get(arm.group(GROUP), GROUPS)


def test_a_page_that_is_no_json_is_told_by_its_status(arm: Arm, arm_server: ArmServer) -> None:
    arm_server.answer_next("GET", f"/{GROUP}$", Answer(403, "forbidden by a proxy"))

    with pytest.raises(ArmError) as caught:
        arm.get(arm.group(GROUP), GROUPS)

    assert (caught.value.status, caught.value.code) == (403, "403")


def test_deletion_is_waited_for(arm: Arm, arm_server: ArmServer) -> None:
    arm.delete(arm.group(GROUP), GROUPS)

    assert arm_server.azure.groups == {}
    assert arm_server.requests("GET", "/operationresults/")


def test_what_is_not_there_is_deleted_already(arm: Arm) -> None:
    arm.delete(arm.group("other"), GROUPS)


def test_a_token_about_to_expire_is_replaced_before_it_fails(
    arm_server: ArmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_server.identity, "life_seconds", 2.0)
    arm = Arm(arm_server.azure.subscription)

    for _ in range(3):
        arm.get(arm.group(GROUP), GROUPS)

    assert len(arm_server.identity.issued_for(arm_server.url)) >= 3
    assert arm_server.refused_tokens == 0


def test_a_token_that_azure_refuses_is_told_as_such(arm: Arm, arm_server: ArmServer) -> None:
    expired = refusal(401, "ExpiredAuthenticationToken", "The access token has expired.")
    arm_server.answer_next("GET", f"/{GROUP}$", expired)

    with pytest.raises(ArmError) as caught:
        arm.get(arm.group(GROUP), GROUPS)

    assert caught.value.code == "ExpiredAuthenticationToken"


def test_without_an_identity_it_says_so(arm: Arm, arm_server: ArmServer) -> None:
    arm_server.identity.refuse(400)

    try:
        with pytest.raises(ArmError) as caught:
            arm.get(arm.group(GROUP), GROUPS)
    finally:
        arm_server.identity.stop_refusing()

    assert caught.value.code == "NotSignedIn"


def test_nobody_is_asked_over_plain_http(arm_server: ArmServer, settings: Settings) -> None:
    settings.AZURE_RESOURCE_MANAGER_URL = arm_server.url.replace("https", "http")

    with pytest.raises(ArmError, match="must begin with https"):
        Arm(arm_server.azure.subscription)

    assert arm_server.log == []


def test_a_list_is_read_page_after_page(arm: Arm, arm_server: ArmServer) -> None:
    path = f"{arm.path}/providers/Microsoft.CognitiveServices/locations/westeurope/models"
    rest = {"value": [{"n": 2}], "nextLink": ""}
    first = {"value": [{"n": 1}], "nextLink": f"{arm_server.url}{path}?api-version=1&page=2"}
    for page in (first, rest):
        arm_server.answer_next("GET", "/models$", Answer(200, page))

    assert list(arm.list_all(path, "2026-05-01")) == [{"n": 1}, {"n": 2}]
