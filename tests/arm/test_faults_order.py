"""Seeded faults of order, logs and models: exactly the rule for each complains."""

import pytest

from tests.arm.faults import Fault, caught, drop, forget, put
from tests.arm.rules import facts

PRIVATE = "private-dev"

FAULTS: dict[str, Fault] = {
    # ── Order ──
    "site does not wait for its plan": (
        PRIVATE,
        forget(facts.DEPLOYMENT, "/atrium-app-web$", to="atrium-app-plans"),
        "everything_waits_for_what_it_names",
    ),
    "endpoint of OpenAI before the models": (
        PRIVATE,
        forget(facts.ENDPOINT, "openai", to="/deployments/"),
        "openai_endpoint_comes_after_all_models",
    ),
    "models at the same time": (
        PRIVATE,
        forget(facts.MODEL, "gpt-5.5", to="/deployments/"),
        "models_are_deployed_one_by_one",
    ),
    "apps before the database": (
        PRIVATE,
        forget(facts.DEPLOYMENT, "/atrium-app$", to="atrium-postgres"),
        "everything_waits_for_what_it_names sites_start_when_they_can",
    ),
    "names before the zones' links": (
        PRIVATE,
        forget(facts.DEPLOYMENT, "atrium-redis", to="atrium-dns"),
        "everything_waits_for_what_it_names names_are_written_after_the_zones_links",
    ),
    "gateway before its certificate's role": (
        "gateway-own-vault",
        forget(facts.DEPLOYMENT, "/atrium-gateway$", to="atrium-"),
        "everything_waits_for_what_it_names the_gateway_comes_after_its_certificate",
    ),
    "database's children at the same time": (
        PRIVATE,
        forget(f"{facts.POSTGRES}/configurations", "/log_statement$", to="/configurations/"),
        "postgres_is_changed_one_by_one",
    ),
    "dependsOn in the wrong place": (
        PRIVATE,
        put(facts.VAULT, "properties.dependsOn", []),
        "no_deployment_waits_in_its_properties",
    ),
    # ── Logs and models ──
    "vault logs nothing": (
        PRIVATE,
        drop(facts.DIAGNOSTICS, facts.VAULT),
        "everything_logs_to_the_workspace",
    ),
    "vault logs to another workspace": (
        PRIVATE,
        put(facts.DIAGNOSTICS, "properties.workspaceId", "/other", facts.VAULT),
        "there_is_one_workspace",
    ),
    "nobody is told of evictions": (
        PRIVATE,
        drop("Microsoft.Insights/metricAlerts", "evict"),
        "somebody_is_told",
    ),
    "alert is off": (
        PRIVATE,
        put("Microsoft.Insights/metricAlerts", "properties.enabled", value=False),
        "alerts_reach_the_action_group",
    ),
    "retired model": (
        PRIVATE,
        put(facts.MODEL, "properties.model", {"name": "gpt-4o", "version": "2024-11-20"}),
        "no_retired_model_is_deployed models_stay_in_their_version",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_the_rules_for_a_fault_complain(fault: str) -> None:
    found, expected = caught(*FAULTS[fault])

    assert found == expected
