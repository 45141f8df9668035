"""Evaluated scenarios as plain templates, for tools that do not evaluate expressions.

    python -m tests.arm.flat FOLDER [SCENARIO ...]

writes one file for each scenario (all main ones when none is named) into the folder.
"""

import json
import sys
from pathlib import Path
from typing import Any

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.rules.facts import DEPLOYMENT
from tests.arm.scenarios import MAIN, scenario

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def flat(e: Evaluated) -> dict[str, Any]:
    """One template with every resource that a scenario deploys, without an expression in it."""
    resources = [_plain(one) for one in e.resources if one.type != DEPLOYMENT]
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}


def _plain(one: Resource) -> dict[str, Any]:
    """A resource as a template declares it; what belongs to another one names it as its scope."""
    own = {"type": one.type, "apiVersion": one.api_version, "name": one.name}
    scope = one.id.rpartition("/providers/")[0]
    return {**own, **({"scope": scope} if "/providers/" in scope else {}), **one.body}


def write(folder: Path, names: list[str]) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        text = json.dumps(flat(scenario(name)), indent=2) + "\n"
        (folder / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2:] or MAIN)
