"""What is to be deployed: template, parameters and place, and what Azure says of it beforehand."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from portal.infra import bundle, capacity, causes, history, keeping, preflight, standing
from portal.infra.arm import Arm, ArmError
from portal.infra.changes import Changes
from portal.infra.parameters import Parameters
from portal.infra.preflight import PROBLEM, UNKNOWN
from portal.infra.terminal import Terminal

Json = dict[str, Any]

RESOURCES = "2021-04-01"
CHECKS: dict[str, preflight.Check] = {
    "resource providers": standing.providers,
    "features": standing.features,
    "permissions": standing.rights,
    "names": standing.deleted,
    "existing resources": standing.existing,
    "models": capacity.models,
    "PostgreSQL": capacity.postgres,
}


class Refused(Exception):
    """It cannot be done; the text says why, and what to do."""


@dataclass
class Plan:
    """One deployment: not begun yet."""

    arm: Arm
    group: str
    template: Json
    main: Path
    parameters: Parameters
    name: str = field(default_factory=history.new_name)
    existing: Json | None = None

    def look(self, screen: Terminal) -> None:
        """Find out what is there, decide what is kept, and tell."""
        self.existing = self.arm.find(self.arm.group(self.group), RESOURCES)
        if not self.existing and not self.location:
            raise Refused(
                f"There is no resource group {self.group}. To make it, say where: --location REGION"
            )
        state = "exists" if self.existing else "does not exist yet"
        screen.line(f"Subscription    {self.arm.subscription}")
        screen.line(f"Resource group  {self.group} ({state}), {self.location}")
        count, size = bundle.modules(self.template), bundle.size(self.template)
        screen.line(f"Template        {self.main.name} with {count} modules, {size:,} bytes")
        notes = keeping.keep(self.arm, self.group, self.parameters)
        screen.secrets = self.parameters.secrets
        screen.title("Parameters (all others: the template's defaults)")
        for line in self.parameters.lines():
            screen.line(f"  {line}")
        for note in notes:
            screen.line(f"  · {note.name}: {note.text}")
        self.parameters.check()

    @property
    def location(self) -> str:
        """The region: that of the parameter, else that of the group."""
        given = self.parameters.value("location")
        return str(given or (self.existing or {}).get("location", ""))

    @property
    def properties(self) -> Json:
        """The body of a deployment. Incremental: what the template lacks is left alone."""
        entries = self.parameters.entries
        return {"mode": "Incremental", "template": self.template, "parameters": entries}

    def preflight(self, screen: Terminal) -> int:
        """Look ahead and tell; the number of problems."""
        screen.title("Preflight")
        subject = preflight.Subject(
            self.arm,
            self.group,
            bool(self.existing),
            self.location,
            self.template,
            self.parameters,
        )
        findings = []
        for finding in preflight.run(CHECKS, subject):
            findings.append(finding)
            for line in finding.lines():
                screen.line(line)
        problems = sum(one.state == PROBLEM for one in findings)
        unknown = sum(one.state == UNKNOWN for one in findings)
        count = f"{problems} {'problem' if problems == 1 else 'problems'}"
        screen.line(f"  {count}, {unknown} that could not be looked up")
        return problems

    def validate(self, screen: Terminal) -> None:
        """Let Azure check it; raises Refused with the innermost errors."""
        screen.title("Validation")
        screen.status("  Azure checks the template …")
        try:
            answer = self.arm.validate(self.group, self.name, self.properties)
        except ArmError as error:
            raise Refused(f"Azure refuses the template.\n{told(error)}") from error
        count = len(answer.get("properties", {}).get("validatedResources") or [])
        told_count = f": {count} resources, modules among them" if count else ""
        screen.line(f"  Azure takes the template{told_count}")

    def changes(self, screen: Terminal) -> Changes:
        """What would change; raises Refused where Azure cannot say."""
        screen.status("  Azure works out what would change …")
        try:
            answer = self.arm.what_if(self.group, self.name, self.properties)
        except ArmError as error:
            raise Refused(f"Azure cannot say what would change.\n{told(error)}") from error
        screen.status("")
        return Changes(answer, self.parameters.secrets)


def in_the_way(problems: int) -> str:
    """That preflight found so many problems."""
    if problems == 1:
        return "1 problem stands in the way of a deployment (see Preflight)"
    return f"{problems} problems stand in the way of a deployment (see Preflight)"


def told(error: ArmError) -> str:
    """The innermost errors with causes; and what Microsoft's support asks for."""
    lines = list(causes.lines(causes.innermost(error.error)))
    if error.correlation_id:
        lines.append(f"Correlation id: {error.correlation_id}")
    return "\n".join(lines)
