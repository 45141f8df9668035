"""The firewall's policies: only text that people write is left unread, and only as content."""

from collections.abc import Iterator
from typing import Any

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.rules.facts import WAF_POLICY, dig, wrong

# Groups about what a text says. Those about how a request is built stay on for every field.
CONTENT = {
    "LFI",
    "RFI",
    "RCE",
    "PHP",
    "NODEJS",
    "XSS",
    "SQLI",
    "FIX",
    "JAVA",
    "MS-ThreatIntel-SQLI",
    "MS-ThreatIntel-AppSec",
    "MS-ThreatIntel-WebShells",
    "MS-ThreatIntel-CVEs",
}
# Single rules about the protocol that a pasted e-mail header or HTTP dialogue meets (HTTP request
# smuggling and response splitting, which a form field cannot do): measured with the core rule set.
SINGLE = {"PROTOCOL-ATTACK": {"921110", "921120", "921130", "921200"}}
# Fields of free text: the chat's, the admin's and the accounts' (passwords).
CHAT_FIELD = "message"
BODY_LIMIT_BYTES = 100_000 * 12 + 65_536


def policy_settings(policy: Resource) -> dict[str, Any]:
    """The settings of a policy."""
    found: dict[str, Any] = policy.properties.get("policySettings") or {}
    return found


def exclusions(policy: Resource) -> list[dict[str, Any]]:
    """The exclusions of a policy."""
    return dig(policy.body, "properties.managedRules.exclusions") or []


def every_policy_is_on(e: Evaluated) -> list[str]:
    """Enabled, reading bodies, and refusing what it finds unless the parameter says otherwise."""
    found = []
    for one in e.of(WAF_POLICY):
        found += wrong(
            one,
            {
                "properties.policySettings.state": "Enabled",
                "properties.policySettings.requestBodyCheck": True,
            },
        )
        if policy_settings(one).get("mode") not in {"Prevention", "Detection"}:
            found.append(f"{one.name} is in mode {policy_settings(one).get('mode')}")
        sets = dig(one.body, "properties.managedRules.managedRuleSets") or []
        kinds = {(rules["ruleSetType"], rules["ruleSetVersion"]) for rules in sets}
        if not kinds & {("Microsoft_DefaultRuleSet", version) for version in ("2.1", "2.2")}:
            found.append(f"{one.name} has the rule sets {sorted(kinds)}")
    return found


def bodies_are_as_large_as_djangos(e: Evaluated) -> list[str]:
    """What Django would take is read whole, and what is larger is refused by both."""
    kilobytes = -(-BODY_LIMIT_BYTES // 1024)
    found = []
    for one in e.of(WAF_POLICY):
        found += [
            f"{one.name}: {name} is {policy_settings(one).get(name)}"
            for name in ("maxRequestBodySizeInKb", "requestBodyInspectLimitInKB")
            if policy_settings(one).get(name) != kilobytes
        ]
    return found


def only_content_is_left_unread(e: Evaluated) -> list[str]:
    """An exclusion names one field exactly, and groups only where they are about content.

    Of a group about the protocol it may name a few known rules, never the group.
    """
    return [
        f"{policy.name}: exclusion of {one.get('selector')} {complaint}"
        for policy in e.of(WAF_POLICY)
        for one in exclusions(policy)
        for complaint in _complaints(one)
    ]


def _complaints(one: dict[str, Any]) -> Iterator[str]:
    if one.get("selectorMatchOperator") != "Equals" or not one.get("selector"):
        yield "is no single field"
    if one.get("matchVariable") != "RequestArgValues":
        yield f"is of {one.get('matchVariable')}"
    groups = excluded_groups(one)
    if not groups:
        yield "is from every rule"
    for group in groups:
        name = group["ruleGroupName"]
        rules = {rule["ruleId"] for rule in group.get("rules") or []}
        if name not in CONTENT and not (rules and rules <= SINGLE.get(name, set())):
            yield f"is from {name} {sorted(rules)}"


def excluded_groups(one: dict[str, Any]) -> list[dict[str, Any]]:
    """The groups of rules that an exclusion names."""
    return [
        group
        for rules in one.get("exclusionManagedRuleSets") or []
        for group in rules.get("ruleGroups") or []
    ]


def no_rule_is_off(e: Evaluated) -> list[str]:
    """No managed rule is switched off for everybody, and no custom rule lets anything past them."""
    found = []
    for one in e.of(WAF_POLICY):
        sets = dig(one.body, "properties.managedRules.managedRuleSets") or []
        found += [
            f"{one.name} changes rules of {group['ruleGroupName']}"
            for rules in sets
            for group in rules.get("ruleGroupOverrides") or []
            if any(rule.get("state") == "Disabled" for rule in group.get("rules") or [])
        ]
        found += [
            f"{one.name}: {rule['name']} lets requests past the rules"
            for rule in one.properties.get("customRules") or []
            if rule["action"] == "Allow"
        ]
    return found


def chat_text_passes_on_its_paths_alone(e: Evaluated) -> list[str]:
    """A policy that leaves `message` unread refuses it on other paths by a rule of its own."""
    found = []
    for one in e.of(WAF_POLICY):
        if not any(entry["selector"] == CHAT_FIELD for entry in exclusions(one)):
            continue
        guards = [
            rule
            for rule in one.properties.get("customRules") or []
            if rule["action"] == "Block" and rule["ruleType"] == "MatchRule" and _is_guard(rule)
        ]
        if not guards:
            found.append(f"{one.name} leaves {CHAT_FIELD} unread on every path")
    return found


def _is_guard(rule: dict[str, Any]) -> bool:
    """Whether a rule asks for the field, on paths other than those that it names."""
    conditions = rule["matchConditions"]
    asked = {
        (variable["variableName"], variable.get("selector"))
        for condition in conditions
        for variable in condition["matchVariables"]
        if not condition.get("negationConditon")
    }
    spared = {
        variable["variableName"]
        for condition in conditions
        for variable in condition["matchVariables"]
        if condition.get("negationConditon")
    }
    return asked == {("PostArgs", CHAT_FIELD)} and spared == {"RequestUri"}


def prompts_stay_out_of_the_logs(e: Evaluated) -> list[str]:
    """Every field that is left unread, and the chat's, is scrubbed from the firewall's log."""
    found = []
    for one in e.of(WAF_POLICY):
        scrubbing = policy_settings(one).get("logScrubbing") or {}
        rules = [
            rule for rule in scrubbing.get("scrubbingRules") or [] if rule.get("state") == "Enabled"
        ]
        hidden = {rule.get("selector") for rule in rules}
        hides_all = any(rule.get("selectorMatchOperator") == "EqualsAny" for rule in rules)
        fields = {entry["selector"] for entry in exclusions(one)}
        if scrubbing.get("state") != "Enabled":
            found.append(f"{one.name} scrubs nothing from its log")
        elif not hides_all and fields - hidden:
            found.append(f"{one.name} logs {sorted(fields - hidden)}")
    return found


def clients_are_limited(e: Evaluated) -> list[str]:
    """Each policy limits how fast one client address may ask."""
    return [
        f"{one.name} has no rate limit"
        for one in e.of(WAF_POLICY)
        if not any(
            rule["ruleType"] == "RateLimitRule" for rule in one.properties.get("customRules") or []
        )
    ]


RULES = (
    every_policy_is_on,
    bodies_are_as_large_as_djangos,
    only_content_is_left_unread,
    no_rule_is_off,
    chat_text_passes_on_its_paths_alone,
    prompts_stay_out_of_the_logs,
    clients_are_limited,
)
