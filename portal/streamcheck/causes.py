"""Why a request was stopped or not, and what to change: the likely cause, for an operator."""

from portal.streamcheck.corpus import CHAT_PATHS, Attack

# The rule group by the first digits of a rule id, in Microsoft's default rule set (its own names)
# as in the OWASP core rule set.
_GROUPS = {
    "911": "METHOD-ENFORCEMENT", "920": "PROTOCOL-ENFORCEMENT", "921": "PROTOCOL-ATTACK",
    "930": "LFI", "931": "RFI", "932": "RCE", "933": "PHP", "934": "NODEJS", "941": "XSS",
    "942": "SQLI", "943": "FIX", "944": "JAVA", "990": "MS-ThreatIntel-WebShells",
}  # fmt: skip
# What usually stops a prompt of a category.
_LIKELY = {
    "sql": "SQLI", "shell": "RCE", "web": "XSS", "paths": "LFI", "mail": "PROTOCOL-ATTACK",
    "traces": "JAVA or RCE", "config": "RCE or LFI", "english": "SQLI", "languages": "SQLI",
    "signs": "SQLI", "markdown": "XSS or SQLI", "logs": "SQLI, RCE or PROTOCOL-ATTACK",
    "data": "SQLI or XSS", "code": "RCE, PHP or JAVA",
}  # fmt: skip


def of_block(status: int, rule: str, category: str) -> str:
    """Why a prompt of this category did not reach the portal."""
    if status == 403:
        group = _GROUPS.get(rule[:3], "") if rule else _LIKELY.get(category, "")
        named = f"rule {rule} of group {group}" if rule else f"perhaps of group {group}"
        return (
            f"The firewall stopped it, {named}. The policy must exclude RequestArgValues, Equals,"
            " `message` from that group; the firewall's log names the rule."
        )
    if status == 413:
        return (
            "The body is longer than the gateway takes: maxRequestBodySizeInKb must be the"
            " portal's DATA_UPLOAD_MAX_MEMORY_SIZE in KB."
        )
    if status == 429:
        return "The rate limit of the firewall was reached: slower with --pace."
    if status in {502, 503, 504}:
        return "The gateway did not reach the portal: look at its backend health."
    if status == 0:
        return "The connection was closed without an answer."
    return f"Somebody before the portal answered {status}."


NOT_BLOCKING = (
    "The firewall lets attacks pass: its policy is in Detection mode, or does not belong to the"
    " gateway or to this path, or the rule is switched off."
)


def of_pass(attack: Attack) -> str:
    """Why an attack reached the portal."""
    path, _, query = attack.request.target.partition("?")
    if attack.category == "message" and (query or path not in CHAT_PATHS):
        return (
            "`message` is excluded from inspection here too: a custom rule that keeps it to forms"
            " of the chat's paths, and out of query strings, is missing or not in force."
        )
    if path in CHAT_PATHS:
        return (
            "More than `message` is excluded from inspection: the exclusion must be Equals"
            " `message`, and name content rule groups only."
        )
    return NOT_BLOCKING


def of_closed_door(status: int, sent: int) -> str:
    """Why not even a greeting reaches the portal."""
    if status in {502, 503, 504, 0}:
        return f"After {sent} requests the portal could not be reached any more ({status})."
    if sent:
        return (
            f"After {sent} requests everything is refused with {status}: the firewall's rate limit,"
            " or it has blocked this address. Wait some minutes, and go slower with --pace."
        )
    return f"Not even “Hello” reaches the portal: it is refused with {status} before it."
