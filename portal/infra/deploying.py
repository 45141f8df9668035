"""Carrying out a plan: begin the deployment, follow it, say how it ended and what comes next."""

from typing import Any

from portal.infra import causes, history
from portal.infra.arm import Arm, ArmError
from portal.infra.plans import RESOURCES, Plan, Refused, in_the_way, told
from portal.infra.progress import Watch
from portal.infra.terminal import Terminal

Json = dict[str, Any]


class Interrupted(Exception):
    """The operator stopped watching; the text says what goes on in Azure."""


def deploy(
    plan: Plan, screen: Terminal, *, is_dry: bool, despite_problems: bool, every_seconds: float
) -> None:
    """Look ahead, then deploy and watch; a dry run ends before anything changes."""
    plan.look(screen)
    _refuse_second(plan)
    problems = plan.preflight(screen)
    if not plan.existing and is_dry:
        _tell_new_group(plan, screen)
    elif problems and not (is_dry or despite_problems):
        raise Refused(f"{in_the_way(problems)}; --despite-problems goes on anyway")
    else:
        _make_group(plan, screen)
        plan.validate(screen)
        screen.title("Changes")
        for line in plan.changes(screen).lines():
            screen.line(f"  {line}" if line else "")
    if is_dry:
        screen.title("Dry run: nothing was changed.")
        if problems:
            raise Refused(in_the_way(problems))
        return
    _begin(plan)
    screen.title(f"Deployment {plan.name}")
    follow(plan.arm, plan.group, plan.name, screen, every_seconds=every_seconds)


def follow(arm: Arm, group: str, name: str, screen: Terminal, *, every_seconds: float) -> None:
    """Show a deployment until it ends; raises Refused with the innermost errors if it failed."""
    watch = Watch(arm, group, name, every_seconds=every_seconds)
    try:
        deployment = watch.follow(screen)
    except KeyboardInterrupt:
        raise Interrupted(_goes_on(group, name, "You stopped watching")) from None
    except ArmError as error:
        raise Refused(f"{told(error)}\n{_goes_on(group, name, 'Watching ended')}") from error
    if history.state(deployment) == "Succeeded":
        _tell_success(deployment, screen)
        return
    lines = list(causes.lines(watch.faults(deployment)))
    trace = deployment["properties"].get("correlationId", "")
    end = history.state(deployment).lower()
    raise Refused("\n".join([
        f"The deployment {name} {'was cancelled' if end == 'canceled' else 'failed'}.",
        *lines,
        "What was made before stays; `infra deploy` goes on from there.",
        f"Correlation id: {trace}",
    ]))  # fmt: skip


def running_name(arm: Arm, group: str) -> str:
    """The deployment that runs; raises Refused where none does."""
    found = history.running(arm, group)
    if found is None:
        raise Refused(f"No deployment is running in {group}")
    return str(found["name"])


def cancel(arm: Arm, group: str, screen: Terminal) -> None:
    """Let Azure begin nothing more of the deployment that runs."""
    name = running_name(arm, group)
    arm.cancel(group, name)
    screen.line(
        f"{name} is cancelled: nothing more begins. What had begun is finished by Azure, and what"
        " was made stays; `infra deploy` goes on from there, `infra destroy` takes it away."
    )


def _refuse_second(plan: Plan) -> None:
    if plan.existing and (active := history.running(plan.arm, plan.group)):
        raise Refused(
            f"The deployment {active['name']} is still running. Watch it with `infra deploy"
            f" --resource-group {plan.group} --follow`, or stop it with --cancel"
        )


def _make_group(plan: Plan, screen: Terminal) -> None:
    if plan.existing:
        return
    path = plan.arm.group(plan.group)
    plan.existing = plan.arm.put(path, RESOURCES, {"location": plan.location})
    screen.line(f"Made the resource group {plan.group} in {plan.location}")


def _tell_new_group(plan: Plan, screen: Terminal) -> None:
    screen.title("Changes")
    screen.line(f"  + Microsoft.Resources/resourceGroups  {plan.group}, in {plan.location}")
    screen.line(
        "  and everything in the template. Azure checks a template only inside a group that"
    )
    screen.line(
        "  exists. To see each resource before anything else is made, make the empty group:"
    )
    screen.line(f"  az group create --name {plan.group} --location {plan.location}")


def _begin(plan: Plan) -> None:
    try:
        plan.arm.begin(plan.group, plan.name, plan.properties)
    except ArmError as error:
        after = _goes_on(plan.group, plan.name, "It may have begun all the same")
        raise Refused(
            f"{told(error)}\n{after}" if error.is_lost_connection else told(error)
        ) from error


def _goes_on(group: str, name: str, start: str) -> str:
    return (
        f"{start}; the deployment {name} goes on in Azure.\n"
        f"Watch it:  manage.py infra deploy --resource-group {group} --follow\n"
        f"Stop it:   manage.py infra deploy --resource-group {group} --cancel"
    )


def _tell_success(deployment: Json, screen: Terminal) -> None:
    outputs = history.outputs_of(deployment)
    screen.title("Done.")
    for name in ("publicUrl", "webHost", "gatewayPublicIp", "gatewayPrivateIp", "image"):
        if outputs.get(name):
            screen.line(f"  {name:17} {outputs[name]}")
    screen.line("All outputs: manage.py infra outputs. Next: manage.py release")
