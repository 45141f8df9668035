"""Seeded faults of the gateway and its firewall: exactly the rule for each complains."""

from typing import Any

import pytest

from tests.arm.faults import Fault, caught, cut, edit, put
from tests.arm.rules import facts

GATEWAY = "gateway-prod"

BACKEND = "properties.backendHttpSettingsCollection.0.properties"
EXCLUSION = "properties.managedRules.exclusions.0"


def group(name: str) -> dict[str, Any]:
    """A rule set of which an exclusion names this whole group."""
    groups = [{"ruleGroupName": name}]
    return {
        "ruleSetType": "Microsoft_DefaultRuleSet",
        "ruleSetVersion": "2.1",
        "ruleGroups": groups,
    }


FAULTS: dict[str, Fault] = {
    # ── Gateway and firewall ──
    "streams held back": (
        GATEWAY,
        put(facts.GATEWAY, "properties.globalConfiguration.enableResponseBuffering", value=True),
        "streams_are_not_held_back",
    ),
    "time-out of the samples": (
        GATEWAY,
        put(facts.GATEWAY, f"{BACKEND}.requestTimeout", 20),
        "silence_is_longer_than_a_heartbeat",
    ),
    "drain of the samples": (
        GATEWAY,
        put(facts.GATEWAY, f"{BACKEND}.connectionDraining.drainTimeoutInSec", 30),
        "silence_is_longer_than_a_heartbeat",
    ),
    "host name picked from the backend": (
        GATEWAY,
        put(facts.GATEWAY, f"{BACKEND}.pickHostNameFromBackendAddress", value=True),
        "the_host_name_is_kept",
    ),
    "plain HTTP served": (
        GATEWAY,
        put(
            facts.GATEWAY, "properties.requestRoutingRules.1.properties.redirectConfiguration", None
        ),
        "plain_http_is_redirected",
    ),
    "client's own X-Forwarded-For": (
        GATEWAY,
        put(facts.GATEWAY, "properties.rewriteRuleSets", []),
        "the_clients_address_is_passed_on",
    ),
    "version of the certificate fixed": (
        GATEWAY,
        edit(
            facts.GATEWAY,
            "properties.sslCertificates.0.properties.keyVaultSecretId",
            lambda id_: f"{id_}/0123456789abcdef",
        ),
        "the_certificate_is_read_from_a_vault",
    ),
    "gateway may read another vault": (
        GATEWAY,
        edit(
            facts.GATEWAY,
            "properties.sslCertificates.0.properties.keyVaultSecretId",
            lambda id_: id_.replace("https://", "https://x"),
        ),
        "the_gateway_reads_one_vault_alone",
    ),
    "exclusion from a group about the protocol": (
        GATEWAY,
        edit(
            facts.WAF_POLICY,
            f"{EXCLUSION}.exclusionManagedRuleSets",
            lambda sets: [*sets, group("PROTOCOL-ENFORCEMENT")],
            "portal",
        ),
        "only_content_is_left_unread",
    ),
    "exclusion of every field with a word": (
        GATEWAY,
        put(facts.WAF_POLICY, f"{EXCLUSION}.selectorMatchOperator", "Contains", "portal"),
        "only_content_is_left_unread",
    ),
    "exclusion from every rule": (
        GATEWAY,
        put(facts.WAF_POLICY, f"{EXCLUSION}.exclusionManagedRuleSets", [], "portal"),
        "only_content_is_left_unread",
    ),
    "chat text unread everywhere": (
        GATEWAY,
        edit(
            facts.WAF_POLICY,
            "properties.customRules",
            cut(lambda rule: "PostArgs" not in str(rule)),
            "portal",
        ),
        "chat_text_passes_on_its_paths_alone",
    ),
    "small bodies alone": (
        GATEWAY,
        put(facts.WAF_POLICY, "properties.policySettings.maxRequestBodySizeInKb", 128),
        "bodies_are_as_large_as_djangos",
    ),
    "prompts in the log": (
        GATEWAY,
        put(facts.WAF_POLICY, "properties.policySettings.logScrubbing.state", "Disabled", "portal"),
        "prompts_stay_out_of_the_logs",
    ),
    "no rate limit": (
        GATEWAY,
        edit(
            facts.WAF_POLICY,
            "properties.customRules",
            cut(lambda rule: rule["ruleType"] != "RateLimitRule"),
            "accounts",
        ),
        "clients_are_limited",
    ),
    "firewall reads no bodies": (
        GATEWAY,
        put(facts.WAF_POLICY, "properties.policySettings.requestBodyCheck", value=False),
        "every_policy_is_on",
    ),
    "rule switched off for every field": (
        GATEWAY,
        put(
            facts.WAF_POLICY,
            "properties.managedRules.managedRuleSets.0.ruleGroupOverrides",
            [{"ruleGroupName": "SQLI", "rules": [{"ruleId": "942100", "state": "Disabled"}]}],
        ),
        "no_rule_is_off",
    ),
    "backend beside the portal": (
        GATEWAY,
        put(
            facts.GATEWAY,
            "properties.backendAddressPools.0.properties.backendAddresses",
            [{"ipAddress": "10.52.1.4"}],
        ),
        "the_backend_is_the_web_site",
    ),
    "gateway without a firewall": (
        GATEWAY,
        put(facts.GATEWAY, "properties.sku.tier", "Standard_v2"),
        "the_gateway_is_one_with_a_firewall",
    ),
    "probe of the samples": (
        GATEWAY,
        put(facts.GATEWAY, "properties.probes.0.properties.path", "/favicon.ico"),
        "the_probe_asks_whether_the_portal_is_ready",
    ),
    "vault closed to the gateway": (
        GATEWAY,
        put(facts.VAULT, "properties.networkAcls.bypass", "None"),
        "the_vault_lets_the_gateway_in",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_the_rules_for_a_fault_complain(fault: str) -> None:
    found, expected = caught(*FAULTS[fault])

    assert found == expected
