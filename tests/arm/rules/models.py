"""Models that can still be deployed.

Retirement dates of Azure OpenAI's models, read on 2026-11-23 from Microsoft's
azure-ai-docs: articles/foundry/openai/includes/concepts-model-retirement-schedule-content.md
(text of 2026-07-07). To be read anew with each change of a default.
"""

from tests.arm.evaluate import Evaluated
from tests.arm.rules.facts import MODEL, dig

# Gone, or gone within weeks of that reading.
RETIRED = frozenset(
    {
        "gpt-35-turbo",
        "gpt-35-turbo-16k",
        "gpt-4",
        "gpt-4-32k",
        "gpt-4o",
        "gpt-4o-mini",
        "gpt-4.1",
        "gpt-4.1-mini",
        "gpt-4.1-nano",
        "gpt-5.2",
    }
)
# Versions that retire in 2027.
OFFERED = {
    "gpt-5": "2025-08-07",
    "gpt-5-mini": "2025-08-07",
    "gpt-5-nano": "2025-08-07",
    "gpt-5.1": "2025-11-13",
    "gpt-5.4": "2026-03-05",
    "gpt-5.4-mini": "2026-03-17",
    "gpt-5.4-nano": "2026-03-17",
    "gpt-5.5": "2026-04-24",
}


def no_retired_model_is_deployed(e: Evaluated) -> list[str]:
    """Every model is one that is offered, in the version that is."""
    return [
        f"{one.name}: {model['name']} {model['version']} is not offered"
        for one in e.of(MODEL)
        for model in [one.properties["model"]]
        if model["name"] in RETIRED or OFFERED.get(model["name"]) != model["version"]
    ]


def models_stay_in_their_version(e: Evaluated) -> list[str]:
    """A deployment keeps its version until it retires; the account filters content."""
    return [
        f"{one.name}: {path} is {dig(one.body, path)}"
        for one in e.of(MODEL)
        for path, wanted in (
            ("properties.versionUpgradeOption", {"OnceCurrentVersionExpired", "NoAutoUpgrade"}),
            ("properties.model.format", {"OpenAI"}),
        )
        if dig(one.body, path) not in wanted
    ]


RULES = (no_retired_model_is_deployed, models_stay_in_their_version)
