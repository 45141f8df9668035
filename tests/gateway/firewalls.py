"""The firewall of the template, and firewalls with mistakes that somebody could make in it."""

import json
from dataclasses import replace
from functools import cache

from tests.arm.evaluate import FOLDER, evaluate
from tests.gateway.waf import CustomRule, Exclusion, Firewall, read_firewall

_PARAMETERS = FOLDER / "scenario2-gateway.parameters.json"


@cache
def template_firewall(mode: str = "Prevention") -> Firewall:
    """What the template deploys in scenario 2, with the firewall in this mode."""
    written = json.loads(_PARAMETERS.read_text())["parameters"]
    values = {name: entry["value"] for name, entry in written.items()} | {"wafMode": mode}
    template = json.loads((FOLDER / "main.json").read_text())
    return read_firewall(evaluate(template, values).resources)


# ── Mistakes ───────────────────────────────────────────────────────────────────────────────────
def without_exclusions(firewall: Firewall) -> Firewall:
    """As a policy is before it is tuned."""
    return firewall.changed(exclusions=())


def with_contains(firewall: Firewall) -> Firewall:
    """Every field that has `message` in its name is excluded."""
    return _exclusions_changed(firewall, operator="Contains")


def with_a_protocol_group(firewall: Firewall) -> Firewall:
    """Rules on the protocol do not look at `message` either."""
    groups = (*firewall.policy.exclusions[0].groups, "PROTOCOL-ENFORCEMENT")
    return _exclusions_changed(firewall, groups=groups)


def without_paths(firewall: Firewall) -> Firewall:
    """`message` may come anywhere, and be anything there."""
    message = firewall.policy.exclusions
    custom = tuple(rule for rule in firewall.policy.custom_rules if not about_message(rule))
    return Firewall(replace(firewall.policy, exclusions=message, custom_rules=custom), {})


def without_a_group(firewall: Firewall, group: str) -> Firewall:
    """`message` is inspected by the rules of this group."""
    (exclusion, *_) = firewall.policy.exclusions
    groups = tuple(one for one in exclusion.groups if one != group)
    return _exclusions_changed(firewall, groups=groups)


def _exclusions_changed(firewall: Firewall, **changes: object) -> Firewall:
    def changed(exclusion: Exclusion) -> Exclusion:
        is_message = exclusion.selectors == ("message",)
        return replace(exclusion, **changes) if is_message else exclusion  # type: ignore[arg-type]  # a test's shorthand

    return firewall.with_main(exclusions=tuple(map(changed, firewall.policy.exclusions)))


def about_message(rule: CustomRule) -> bool:
    """Whether this rule keeps `message` to the chat's paths."""
    conditions = [one for one in rule.conditions if not one.is_negated]
    return any(
        selector == "message" or (name == "QueryString" and "message" in "".join(one.values))
        for one in conditions
        for name, selector in one.variables
    )
