"""The innermost errors, and their known causes."""

import pytest

from portal.infra import causes
from portal.infra.causes import Fault
from tests.cloud.arm_answers import deployment_failed, error, in_a_text, nested_failed

ENDPOINT = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Network/privateEndpoints/pep"


def test_the_error_in_a_text_in_a_module_in_a_deployment_is_found() -> None:
    busy = error("AccountProvisioningStateInvalid", "Account in state Accepted", target=ENDPOINT)
    whole = deployment_failed(nested_failed("/module", deployment_failed(in_a_text(busy))))

    found = causes.innermost(whole)

    assert found == [
        Fault("AccountProvisioningStateInvalid", "Account in state Accepted", ENDPOINT)
    ]


def test_each_error_is_told_once() -> None:
    same = error("ServerIsBusy", "Server is busy")

    assert causes.innermost(deployment_failed(same, same)) == [
        Fault("ServerIsBusy", "Server is busy")
    ]


def test_a_message_with_braces_that_are_no_json_stays_a_message() -> None:
    assert causes.innermost(error("X", "wrong: {a}"))[0].message == "wrong: {a}"


def test_a_known_error_is_told_with_cause_and_remedy() -> None:
    lines = list(causes.lines([Fault("FlagMustBeSetForRestore", "soft-deleted", ENDPOINT)]))

    assert lines[0] == (
        "FlagMustBeSetForRestore: soft-deleted (Microsoft.Network/privateEndpoints/pep)"
    )
    assert lines[1].startswith("  Cause: An Azure OpenAI account of this name was deleted")
    assert "az cognitiveservices account purge" in lines[2]


def test_an_unknown_error_is_told_as_it_is() -> None:
    assert list(causes.lines([Fault("Strange", "odd")])) == ["Strange: odd"]


def test_a_code_that_means_much_is_known_by_its_words_alone() -> None:
    text = "A virtual network cannot be linked to multiple zones with overlapping namespaces."

    assert causes.explain("BadRequest", text)
    assert not causes.explain("BadRequest", "something else")


@pytest.mark.parametrize("code", sorted(causes.CAUSES))
def test_every_cause_says_what_to_do(code: str) -> None:
    cause = causes.CAUSES[code]

    assert code == code.lower()
    assert cause.why.endswith(".")
    assert cause.remedy
