"""Logs, alerts and models, in every scenario."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules import diagnostics, models


def test_everything_logs_to_the_workspace(e: Evaluated) -> None:
    assert diagnostics.everything_logs_to_the_workspace(e) == []


def test_there_is_one_workspace(e: Evaluated) -> None:
    assert diagnostics.there_is_one_workspace(e) == []


def test_somebody_is_told(e: Evaluated) -> None:
    assert diagnostics.somebody_is_told(e) == []


def test_alerts_reach_the_action_group(e: Evaluated) -> None:
    assert diagnostics.alerts_reach_the_action_group(e) == []


def test_no_retired_model_is_deployed(e: Evaluated) -> None:
    assert models.no_retired_model_is_deployed(e) == []


def test_models_stay_in_their_version(e: Evaluated) -> None:
    assert models.models_stay_in_their_version(e) == []
