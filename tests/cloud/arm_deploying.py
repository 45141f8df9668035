"""Deployments at the resource manager: validate, what-if, create, watch, cancel."""

from collections.abc import Callable
from pathlib import Path

from tests.arm.evaluate import Evaluated, TemplateError, evaluate
from tests.cloud.arm_answers import Answer, Json, error, later, refusal
from tests.cloud.arm_azure import Azure
from tests.cloud.arm_call import Call
from tests.cloud.arm_changes import changes
from tests.cloud.arm_lookups import SUBSCRIPTION
from tests.cloud.arm_pending import Pending
from tests.cloud.arm_run import CORRELATION, Run

ALL = f"{SUBSCRIPTION}/resourcegroups/(?P<group>[^/]+)/providers/microsoft.resources/deployments"
ONE = f"{ALL}/(?P<run>[^/]+)"
PAGE = 10
# A template that is sent alone has no files beside it.
NO_FOLDER = Path("/nowhere")


class Deploying:
    """The addresses under Microsoft.Resources/deployments."""

    def __init__(self, azure: Azure, url: str, pending: Pending) -> None:
        self.azure, self.url, self.pending = azure, url, pending

    def routes(self) -> list[tuple[str, str, Callable[[Call], Answer]]]:
        """Method, address and handler of each."""
        return [
            ("POST", f"{ONE}/validate$", self._validate),
            ("POST", f"{ONE}/whatif$", self._what_if),
            ("POST", f"{ONE}/cancel$", self._cancel),
            ("GET", f"{ONE}/operations$", self._operations),
            ("GET", f"{ONE}/operationstatuses/.*$", self._status),
            ("PUT", f"{ONE}$", self._deploy),
            ("GET", f"{ONE}$", self._deployment),
            ("GET", f"{ALL}$", self._deployments),
        ]

    def _validate(self, call: Call) -> Answer:
        result = self._checked(call)
        if isinstance(result, Answer):
            return result
        ids = [{"id": one.id} for one in result.resources]
        properties = {"provisioningState": "Succeeded", "validatedResources": ids}
        return Answer(200, {"id": call.request.path, "name": call.run, "properties": properties})

    def _what_if(self, call: Call) -> Answer:
        def result() -> Answer:
            checked = self._checked(call)
            if isinstance(checked, Answer):
                return Answer(200, {"status": "Failed", **checked.body})
            found = changes(self.azure, checked, call.group)
            return Answer(200, {"status": "Succeeded", "properties": {"changes": found}})

        return self.pending.promise(result)

    def _deploy(self, call: Call) -> Answer:
        active = self.azure.runs.get(call.path)
        if active and active.state == "Running":
            return refusal(409, "DeploymentActive", f"The deployment {call.run} is still active.")
        result = self._checked(call)
        if isinstance(result, Answer):
            return result
        group = self.azure.groups[call.group.lower()]["id"]
        id_ = f"{group}/providers/Microsoft.Resources/deployments/{call.run}"
        properties = call.request.body["properties"]
        run = Run(id_, properties, result, self.azure.pace_seconds, self.azure.failing)
        self.azure.runs[id_.lower()] = run
        status = f"{self.url}{id_}/operationStatuses/1?api-version=2025-04-01"
        return Answer(201, run.told(), {"Azure-AsyncOperation": status, **later(20)})

    def _deployment(self, call: Call) -> Answer:
        found = self.azure.runs.get(call.path)
        return Answer(200, found.told()) if found else _no_deployment(call)

    def _status(self, call: Call) -> Answer:
        run = self.azure.runs[call.path.rpartition("/operationstatuses/")[0]]
        return Answer(200, {"status": run.state}, later(20))

    def _deployments(self, call: Call) -> Answer:
        inside = f"{self.azure.groups[call.group.lower()]['id']}/".lower()
        runs = [run.told() for id_, run in self.azure.runs.items() if id_.startswith(inside)]
        return Answer(200, {"value": runs})

    def _operations(self, call: Call) -> Answer:
        """Of an outermost deployment or of one inside it; in pages."""
        id_ = call.path.removesuffix("/operations")
        outer = self.azure.runs.get(id_)
        inside = [run for run in self.azure.runs.values() if run.has_begun(id_)]
        if not outer and not inside:
            return _no_deployment(call)
        entries = outer.operations("") if outer else inside[-1].operations(id_)
        start = int(call.request.query.get("$skiptoken", "0"))
        page: Json = {"value": entries[start : start + PAGE]}
        if start + PAGE < len(entries):
            rest = f"api-version=2025-04-01&$skiptoken={start + PAGE}"
            page["nextLink"] = f"{self.url}{call.request.path}?{rest}"
        return Answer(200, page)

    def _cancel(self, call: Call) -> Answer:
        found = self.azure.runs.get(call.path.removesuffix("/cancel"))
        if found is None or found.state != "Running":
            return refusal(409, "DeploymentCannotBeCancelled", f"{call.run} is not running.")
        found.cancel()
        return Answer(204)

    # ── Looking at the template ────────────────────────────────────────────────────────────────
    def _checked(self, call: Call) -> Evaluated | Answer:
        """What the template evaluates to, or the refusal."""
        try:
            result = self._evaluate(call)
        except TemplateError as wrong:
            text = f"Deployment template validation failed: '{wrong}'."
            return refusal(400, "InvalidTemplate", text)
        used = {one.type.partition("/")[0] for one in result.resources}
        if missing := sorted(used & self.azure.unregistered):
            text = f"The subscription is not registered to use namespace '{missing[0]}'."
            return refusal(409, "MissingSubscriptionRegistration", text)
        if refused := self._refused(result):
            text = (
                f"The template deployment '{call.run}' is not valid according to the validation"
                f" procedure. The tracking id is '{CORRELATION}'. See inner errors for details."
            )
            return refusal(400, "InvalidTemplateDeployment", text, refused)
        return result

    def _evaluate(self, call: Call) -> Evaluated:
        properties = call.request.body["properties"]
        given = {name: entry["value"] for name, entry in properties.get("parameters", {}).items()}
        group = self.azure.groups[call.group.lower()]
        return evaluate(
            properties["template"],
            given,
            subscription=self.azure.subscription,
            group=group["name"],
            location=group["location"],
            folder=NO_FOLDER,
        )

    def _refused(self, result: Evaluated) -> Json | None:
        gone = {one["name"] for one in self.azure.deleted_accounts}
        for account in result.of("Microsoft.CognitiveServices/accounts"):
            if account.name in gone:
                return error(
                    "FlagMustBeSetForRestore",
                    f"An existing resource with ID '{account.id}' has been soft-deleted. To restore"
                    " the resource, you must specify 'restore' to be 'true' in the property.",
                )
        return self.azure.refused


def _no_deployment(call: Call) -> Answer:
    return refusal(404, "DeploymentNotFound", f"Deployment '{call.run}' could not be found.")
