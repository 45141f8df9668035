"""Everything tells the log workspace what it does, and somebody is told when it goes wrong."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules.facts import (
    DIAGNOSTICS,
    GATEWAY,
    OPENAI,
    POSTGRES,
    PUBLIC_ADDRESS,
    REDIS,
    REDIS_DATABASE,
    REGISTRY,
    SECURITY_GROUP,
    SITE,
    VAULT,
    VNET,
    dig,
    walk,
)

METRIC_ALERT = "Microsoft.Insights/metricAlerts"
QUERY_ALERT = "Microsoft.Insights/scheduledQueryRules"
# Types with logs of their own: Microsoft, articles/azure-monitor/reference/supported-logs/.
LOGGED = (
    GATEWAY,
    OPENAI,
    POSTGRES,
    PUBLIC_ADDRESS,
    REDIS_DATABASE,
    REGISTRY,
    SECURITY_GROUP,
    SITE,
    VAULT,
    VNET,
    "Microsoft.Network/bastionHosts",
    "Microsoft.OperationalInsights/workspaces",
)
# Types with metrics alone.
MEASURED = (REDIS, "Microsoft.Web/serverfarms")
# What to be told of: a metric's name, by the type that it belongs to.
METRICS = {
    GATEWAY: {"UnhealthyHostCount", "ResponseStatus"},
    POSTGRES: {"storage_percent", "cpu_percent"},
    REDIS: {"usedmemorypercentage", "evictedkeys"},
    OPENAI: {"AzureOpenAIRequests"},
}
QUESTIONS = {"oldest_seconds": "how old the queue is", "failed": "how many generations failed"}


def scope_of(id_: str) -> str:
    """What a diagnostic setting belongs to."""
    return id_.rpartition("/providers/Microsoft.Insights/")[0].lower()


def everything_logs_to_the_workspace(e: Evaluated) -> list[str]:
    """Each resource that can has a diagnostic setting with logs, or else with metrics."""
    settings = {scope_of(one.id): one for one in e.of(DIAGNOSTICS)}
    found = []
    for one in e.of(*LOGGED, *MEASURED):
        setting = settings.get(one.id.lower())
        sent = (setting.properties if setting else {}).get(
            "logs" if one.type in LOGGED else "metrics", []
        )
        if not any(entry.get("enabled") for entry in sent):
            found.append(f"{one.type} {one.name} logs nothing")
    return found


def there_is_one_workspace(e: Evaluated) -> list[str]:
    """All diagnostic settings send to one workspace."""
    targets = {str(one.properties.get("workspaceId")).lower() for one in e.of(DIAGNOSTICS)}
    return [] if len(targets) == 1 else [f"logs go to {sorted(targets)}"]


def somebody_is_told(e: Evaluated) -> list[str]:
    """The alerts that matter are there, when there is an address to tell."""
    if not e.of("Microsoft.Insights/actionGroups"):
        return [f"{one.name} tells nobody" for one in e.of(METRIC_ALERT, QUERY_ALERT)]
    watched = {
        (str(type_), str(value).lower())
        for one in e.of(METRIC_ALERT)
        for type_ in (e.get(id_).type for id_ in one.properties["scopes"] if e.get(id_))  # type: ignore[union-attr]  # looked for just there
        for path, value in walk(one.body)
        if path.endswith("metricName")
    }
    found = [
        f"no alert watches {name} of {type_}"
        for type_, names in METRICS.items()
        if e.of(type_)
        for name in sorted(names)
        if (type_, name.lower()) not in watched
    ]
    asked = " ".join(
        str(value)
        for one in e.of(QUERY_ALERT)
        for path, value in walk(one.body)
        if path.endswith("query")
    )
    found += [f"no alert asks {what}" for word, what in QUESTIONS.items() if word not in asked]
    return found


def alerts_reach_the_action_group(e: Evaluated) -> list[str]:
    """Every alert is on and names the action group."""
    return [
        f"{one.name} tells nobody"
        for one in e.of(METRIC_ALERT, QUERY_ALERT)
        if one.properties.get("enabled") is not True
        or "/actionGroups/" not in str(dig(one.body, "properties.actions"))
    ]


RULES = (
    everything_logs_to_the_workspace,
    there_is_one_workspace,
    somebody_is_told,
    alerts_reach_the_action_group,
)
