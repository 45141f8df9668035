"""The firewall policies of the template, read from its evaluated resources.

Names are those of Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from tests.arm.evaluate import Resource

POLICY_TYPE = "Microsoft.Network/ApplicationGatewayWebApplicationFirewallPolicies"
GATEWAY_TYPE = "Microsoft.Network/applicationGateways"


@dataclass(frozen=True)
class Exclusion:
    """What managed rules do not look at. Without groups: no managed rule does."""

    variable: str
    operator: str
    selectors: tuple[str, ...]
    groups: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # by id; of those groups of which only some rules are meant

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """An entry of managedRules.exclusions."""
        operator = body["selectorMatchOperator"]
        listed = body["selector"].split(",") if operator == "EqualsAny" else [body["selector"]]
        sets = body.get("exclusionManagedRuleSets") or []
        groups = [group for one in sets for group in one.get("ruleGroups") or []]
        return cls(
            body["matchVariable"],
            operator,
            tuple(listed),
            tuple(group["ruleGroupName"] for group in groups if not group.get("rules")),
            tuple(rule["ruleId"] for group in groups for rule in group.get("rules") or []),
        )


@dataclass(frozen=True)
class Condition:
    """One condition of a custom rule; a variable is its name and selector."""

    variables: tuple[tuple[str, str], ...]
    operator: str
    values: tuple[str, ...]
    is_negated: bool
    transforms: tuple[str, ...]

    @classmethod
    def read(cls, body: dict[str, Any]) -> Self:
        """An entry of matchConditions."""
        variables = [
            (one["variableName"], one.get("selector") or "") for one in body["matchVariables"]
        ]
        return cls(
            tuple(variables),
            body["operator"],
            tuple(body.get("matchValues") or ()),
            bool(body.get("negationConditon", False)),  # the API's own spelling
            tuple(body.get("transforms") or ()),
        )


@dataclass(frozen=True)
class CustomRule:
    """A rule of ours, which comes before the managed ones."""

    name: str
    priority: int
    kind: str  # MatchRule or RateLimitRule
    action: str
    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class Policy:
    """What one WAF policy says."""

    id: str
    is_blocking: bool
    max_body_kb: int
    exclusions: tuple[Exclusion, ...]
    custom_rules: tuple[CustomRule, ...]
    disabled_rules: tuple[str, ...]

    @classmethod
    def read(cls, resource: Resource) -> Self:
        """A policy of the template."""
        settings, managed = (resource.properties[key] for key in ("policySettings", "managedRules"))
        custom = resource.properties.get("customRules") or []
        return cls(
            resource.id.lower(),
            settings["mode"] == "Prevention",
            settings["maxRequestBodySizeInKb"],
            tuple(map(Exclusion.read, managed.get("exclusions") or [])),
            tuple(sorted(map(_custom_rule, custom), key=lambda rule: rule.priority)),
            tuple(_disabled(managed["managedRuleSets"])),
        )


@dataclass(frozen=True)
class Firewall:
    """The policy of everything, and those of paths like `/admin/*`."""

    policy: Policy
    of_paths: dict[str, Policy]

    @property
    def policies(self) -> list[Policy]:
        """All of them, each once."""
        return list({one.id: one for one in (self.policy, *self.of_paths.values())}.values())

    def changed(self, **changes: Any) -> "Firewall":
        """Another one, in which every policy is changed so."""
        of_paths = {path: replace(policy, **changes) for path, policy in self.of_paths.items()}
        return Firewall(replace(self.policy, **changes), of_paths)

    def with_main(self, **changes: Any) -> "Firewall":
        """Another one, in which the policy of everything is changed so."""
        return Firewall(replace(self.policy, **changes), self.of_paths)


def read_firewall(resources: Iterable[Resource]) -> Firewall:
    """What the gateway among these resources enforces."""
    found = list(resources)
    policies = {one.id.lower(): Policy.read(one) for one in found if one.type == POLICY_TYPE}
    gateway = next(one for one in found if one.type == GATEWAY_TYPE).properties
    listeners = [_policy_id(one["properties"]) for one in gateway.get("httpListeners", [])]
    main = next((one for one in listeners if one), "") or _policy_id(gateway)
    paths = {path: policies[id_] for path, id_ in _path_policies(gateway)}
    return Firewall(policies[main], paths)


def _path_policies(gateway: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path_map in gateway.get("urlPathMaps") or []:
        for rule in path_map["properties"]["pathRules"]:
            id_ = _policy_id(rule["properties"])
            yield from ((path, id_) for path in rule["properties"]["paths"] if id_)


def _policy_id(properties: dict[str, Any]) -> str:
    policy = properties.get("firewallPolicy") or {}
    return str(policy.get("id", "")).lower()


def _custom_rule(body: dict[str, Any]) -> CustomRule:
    return CustomRule(
        body["name"],
        body["priority"],
        body["ruleType"],
        body["action"],
        tuple(map(Condition.read, body["matchConditions"])),
    )


def _disabled(rule_sets: list[dict[str, Any]]) -> Iterator[str]:
    for rule_set in rule_sets:
        for group in rule_set.get("ruleGroupOverrides") or []:
            for rule in group["rules"]:
                if rule.get("state") == "Disabled":
                    yield rule["ruleId"]
