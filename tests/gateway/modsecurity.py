"""The template's firewall policies in the language of ModSecurity, over the OWASP core rule set.

Where Azure's engine differs, the choice is the stricter one, but for REQUEST_BODY: rules of the
core rule set that also read the whole body do not read it where an argument of it is excluded for
them; they go on reading every other argument.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from tests.gateway import debian
from tests.gateway.nginx import Behaviour, Gateway
from tests.gateway.waf import Condition, CustomRule, Exclusion, Firewall, Policy

# Rule files of the core rule set by the names that Microsoft's default rule set gives its groups
# (learn.microsoft.com, "Web Application Firewall DRS and CRS rule groups and rules").
GROUP_FILES = {
    "METHOD-ENFORCEMENT": "911", "PROTOCOL-ENFORCEMENT": "920", "PROTOCOL-ATTACK": "921",
    "LFI": "930", "RFI": "931", "RCE": "932", "PHP": "933", "NODEJS": "934", "XSS": "941",
    "SQLI": "942", "FIX": "943", "JAVA": "944",
}  # fmt: skip
# Groups that the core rule set has no counterpart of.
AZURES_OWN = {
    "General", "MS-ThreatIntel-AppSec", "MS-ThreatIntel-CVEs", "MS-ThreatIntel-SQLI",
    "MS-ThreatIntel-WebShells", "MS-ThreatIntel-XSS",
}  # fmt: skip
_INITIALISATION, _VERDICT = "901", "949"
_WHOLE_BODY = "REQUEST_BODY"

# Threshold and paranoia as Azure's: a critical rule alone blocks, level 1. Parts of other content
# types are read as the engine's recommended configuration does; answers are not read at all.
_ENGINE = """\
SecRuleEngine {engine}
SecRequestBodyAccess On
SecResponseBodyAccess Off
SecRequestBodyLimit {bytes}
SecRequestBodyNoFilesLimit {bytes}
SecRequestBodyLimitAction {over_limit}
SecUnicodeMapFile /etc/nginx/unicode.mapping 20127
SecAuditEngine Off
SecDefaultAction "phase:1,log,noauditlog,pass"
SecDefaultAction "phase:2,log,noauditlog,pass"
SecRule REQUEST_HEADERS:Content-Type "@rx ^(?:application(?:/soap\\+|/)|text/)xml" \
"id:200000,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML"
SecRule REQUEST_HEADERS:Content-Type "@rx ^application/json" \
"id:200001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON"
SecRule REQBODY_ERROR "!@eq 0" "id:200002,phase:2,t:none,log,deny,status:403"
SecAction "id:900990,phase:1,nolog,pass,t:none,setvar:tx.crs_setup_version=334,\
setvar:tx.paranoia_level=1,setvar:tx.inbound_anomaly_score_threshold=5"
"""
_VARIABLES = {
    "RemoteAddr": "REMOTE_ADDR", "RequestMethod": "REQUEST_METHOD", "QueryString": "QUERY_STRING",
    "PostArgs": "ARGS_POST", "RequestUri": "REQUEST_URI", "RequestHeaders": "REQUEST_HEADERS",
    "RequestBody": _WHOLE_BODY, "RequestCookies": "REQUEST_COOKIES",
}  # fmt: skip
_EXCLUDED = {
    "RequestArgValues": "ARGS", "RequestArgNames": "ARGS", "RequestArgKeys": "ARGS_NAMES",
    "RequestCookieValues": "REQUEST_COOKIES", "RequestCookieNames": "REQUEST_COOKIES",
    "RequestCookieKeys": "REQUEST_COOKIES_NAMES", "RequestHeaderValues": "REQUEST_HEADERS",
    "RequestHeaderNames": "REQUEST_HEADERS", "RequestHeaderKeys": "REQUEST_HEADERS_NAMES",
}  # fmt: skip
_PATTERNS = {
    "Equal": "^(?:{})$", "Contains": "(?:{})", "BeginsWith": "^(?:{})", "EndsWith": "(?:{})$",
}  # fmt: skip
_SELECTORS = {"Contains": "{}", "StartsWith": "^(?:json\\.)?{}", "EndsWith": "{}$"}
_TRANSFORMS = {
    "HtmlEntityDecode": "htmlEntityDecode", "Lowercase": "lowercase", "RemoveNulls": "removeNulls",
    "Trim": "trim", "Uppercase": "uppercase", "UrlDecode": "urlDecodeUni",
}  # fmt: skip


def waf(
    backend: str,
    firewall: Firewall,
    *,
    is_buffering: bool = False,
    certificate: Path | None = None,
    key: Path | None = None,
) -> Gateway:
    """A gateway that enforces these policies, not started yet; over TLS with a certificate.

    Only over TLS does nginx hold small events back when it buffers.
    """
    behaviour = Behaviour(
        modules=(debian.MODULE,), server=_locations(firewall), is_buffering=is_buffering
    )
    gateway = Gateway(backend, certificate=certificate, key=key, behaviour=behaviour, name="waf")
    for number, policy in enumerate(firewall.policies):
        # Without an end of line at the end, the engine cannot read a second file after this one.
        (gateway.folder / f"policy-{number}.conf").write_text("\n".join([*rules(policy), ""]))
    return gateway


def rules(policy: Policy) -> Iterator[str]:
    """The whole rule file of a policy."""
    yield _ENGINE.format(
        engine="On" if policy.is_blocking else "DetectionOnly",
        bytes=policy.max_body_kb * 1024,
        over_limit="Reject" if policy.is_blocking else "ProcessPartial",
    )
    for number, rule in enumerate(policy.custom_rules):
        if rule.kind == "MatchRule":
            yield _custom_rule(rule, 10_000 + number)
    for start in (_INITIALISATION, *GROUP_FILES.values(), _VERDICT):
        yield f"Include {_file(start)}"
    for exclusion in policy.exclusions:
        yield from _exclusion(exclusion)
    known = _ids(GROUP_FILES)
    yield from (f"SecRuleRemoveById {id_}" for id_ in policy.disabled_rules if id_ in known)


def _locations(firewall: Firewall) -> str:
    """nginx's locations. A prefix with ^~ wins over the pattern that stands for everything."""
    numbers = {policy.id: number for number, policy in enumerate(firewall.policies)}
    places = {f"^~ {path.rstrip('*')}": policy for path, policy in firewall.of_paths.items()}
    return "\n".join(
        f"location {place} {{ modsecurity on;"
        f" modsecurity_rules_file @folder@/policy-{numbers[policy.id]}.conf;"
        " include @folder@/proxy.conf; }"
        for place, policy in {**places, "~ ^": firewall.policy}.items()
    )


# ── Exclusions ─────────────────────────────────────────────────────────────────────────────────
def _exclusion(exclusion: Exclusion) -> Iterator[str]:
    unknown = set(exclusion.groups) - GROUP_FILES.keys() - AZURES_OWN
    assert not unknown, f"no such group: {unknown}"
    everything = not exclusion.groups and not exclusion.rules
    ids = _ids(GROUP_FILES if everything else exclusion.groups)
    ids |= {id_ for id_ in exclusion.rules if id_ in _ids(GROUP_FILES)}
    targets = list(_targets(exclusion))
    for id_ in sorted(ids):
        body = [_WHOLE_BODY] if exclusion.variable.startswith("RequestArg") else []
        yield from (f'SecRuleUpdateTargetById {id_} "!{target}"' for target in targets + body)


def _targets(exclusion: Exclusion) -> Iterator[str]:
    """ModSecurity's names of what is excluded; it puts `json.` before the keys of JSON."""
    variable = _EXCLUDED[exclusion.variable]
    for selector in exclusion.selectors:
        if pattern := _SELECTORS.get(exclusion.operator):
            yield f"{variable}:/{pattern.format(re.escape(selector))}/"
        else:
            yield f"{variable}:{selector}"
            if variable.startswith("ARGS"):
                yield f"{variable}:json.{selector}"


@cache
def _file(start: str) -> Path:
    (path,) = debian.CORE_RULES.glob(f"REQUEST-{start}-*.conf")
    return path


def _ids(groups: Iterable[str]) -> set[str]:
    """The ids of all rules in the files of these groups."""
    files = (GROUP_FILES[group] for group in groups if group in GROUP_FILES)
    return {id_ for start in files for id_ in _ids_in(_file(start))}


@cache
def _ids_in(path: Path) -> frozenset[str]:
    return frozenset(re.findall(r"^[^#\n]*\bid:(\d{6})", path.read_text(), re.MULTILINE))


# ── Custom rules ───────────────────────────────────────────────────────────────────────────────
def _custom_rule(rule: CustomRule, id_: int) -> str:
    """Its conditions as a chain: all of them must hold."""
    action = "deny,status:403,log" if rule.action == "Block" else "pass,nolog"
    if rule.action == "Allow":
        action += ",ctl:ruleEngine=Off"
    first = f"id:{id_},phase:2,{action},msg:'{rule.name}'"
    lines = []
    for number, condition in enumerate(rule.conditions):
        actions = [first] if number == 0 else []
        actions += ["t:none", *(f"t:{_TRANSFORMS[name]}" for name in condition.transforms)]
        actions += ["chain"] if number < len(rule.conditions) - 1 else []
        lines.append(f'SecRule {_condition(condition)} "{",".join(actions)}"')
    return "\n".join(lines)


def _condition(condition: Condition) -> str:
    variables = "|".join(_variables(condition))
    negation = "!" if condition.is_negated else ""
    if condition.operator == "Any":
        return f'{variables} "@unconditionalMatch"'
    if condition.operator == "IPMatch":
        return f'{variables} "{negation}@ipMatch {",".join(condition.values)}"'
    if condition.operator == "Regex":
        pattern = "|".join(f"(?:{value})" for value in condition.values)
    else:
        listed = "|".join(re.escape(value) for value in condition.values)
        pattern = _PATTERNS[condition.operator].format(listed)
    return f'{variables} "{negation}@rx {pattern.replace(chr(34), chr(92) + "x22")}"'


def _variables(condition: Condition) -> Iterator[str]:
    """PostArgs are the fields of forms: whether JSON's keys are among them, Microsoft's pages say
    once so and once otherwise. ARGS_POST, too, holds nothing of a JSON body."""
    for name, selector in condition.variables:
        yield f"{_VARIABLES[name]}:{selector}" if selector else _VARIABLES[name]
