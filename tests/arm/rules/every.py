"""All rules by name."""

from collections.abc import Callable

from tests.arm.evaluate import Evaluated
from tests.arm.rules import (
    apps,
    diagnostics,
    endpoints,
    firewall,
    gateway,
    keys,
    models,
    order,
    paths,
    perimeter,
    roles,
)

Rule = Callable[[Evaluated], list[str]]
MODULES = (
    apps,
    diagnostics,
    endpoints,
    firewall,
    gateway,
    keys,
    models,
    order,
    paths,
    perimeter,
    roles,
)
RULES: dict[str, Rule] = {rule.__name__: rule for module in MODULES for rule in module.RULES}


def complaining(e: Evaluated) -> set[str]:
    """The names of the rules that find something."""
    return {name for name, rule in RULES.items() if rule(e)}
