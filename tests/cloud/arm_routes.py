"""The addresses of Azure's resource manager that the commands use, and what they answer."""

import re
from collections.abc import Callable
from typing import Any

from tests.arm.ids import type_of
from tests.cloud.arm_answers import Answer, Json, refusal
from tests.cloud.arm_apps import Apps
from tests.cloud.arm_azure import Azure
from tests.cloud.arm_call import Call, Request
from tests.cloud.arm_deploying import Deploying
from tests.cloud.arm_lookups import SUBSCRIPTION, lookups
from tests.cloud.arm_pending import Pending

GROUP = f"{SUBSCRIPTION}/resourcegroups/(?P<group>[^/]+)"


class Routes:
    """Answers requests from what `azure` holds. `url` is where the server listens."""

    def __init__(self, azure: Azure, url: str) -> None:
        self.azure = azure
        self.pending = Pending(f"{url}{azure.path}/operationresults")
        self._deploying = Deploying(azure, url, self.pending)
        self.apps = Apps(azure)
        self._table: list[tuple[str, str, Callable[[Call], Answer]]] = [
            ("GET", f"{SUBSCRIPTION}/operationresults/(?P<key>[^/]+)$", self.pending.poll),
            *lookups(azure),
            *self._deploying.routes(),
            *self.apps.routes(),
            ("GET", f"{GROUP}/resources$", self._listed),
            ("GET", f"{GROUP}$", self._group),
            ("PUT", f"{GROUP}$", self._make_group),
            ("DELETE", f"{GROUP}$", self._delete_group),
            ("GET", "/config/web$", self._site_config),
            ("GET", "^/.*$", self._get),
            ("PUT", "^/.*$", self._put),
            ("DELETE", "^/.*$", self._delete),
        ]

    def answer(self, request: Request) -> Answer:
        """What Azure says to this."""
        self.azure.settle()
        if not request.query.get("api-version"):
            return refusal(400, "MissingApiVersionParameter", "The api-version is required")
        is_known = request.path.lower() in self.azure.resources
        if not request.path.startswith(self.azure.path) and not is_known:
            name = request.path.split("/")[2]
            text = f"The subscription '{name}' could not be found."
            return refusal(404, "SubscriptionNotFound", text)
        for method, pattern, handle in self._table:
            found = re.search(pattern, request.path, re.IGNORECASE)
            if method == request.method and found:
                return self._within(handle, Call(request, found.groupdict()))
        return refusal(404, "NotFound", f"{request.method} {request.path}")

    def _within(self, handle: Callable[[Call], Answer], call: Call) -> Answer:
        """Answer for what is inside a resource group, if there is one."""
        group = call.names.get("group")
        if group and group.lower() not in self.azure.groups and handle != self._make_group:
            text = f"Resource group '{group}' could not be found."
            return refusal(404, "ResourceGroupNotFound", text)
        return handle(call)

    def _group(self, call: Call) -> Answer:
        return Answer(200, self.azure.groups[call.group.lower()])

    def _make_group(self, call: Call) -> Answer:
        return Answer(201, self.azure.add_group(call.group, call.request.body["location"]))

    def _delete_group(self, call: Call) -> Answer:
        if locks := self.azure.locks_in(call.path):
            text = f"The scope cannot be deleted: lock '{locks[0]['name']}'."
            return refusal(409, "ScopeLocked", text)
        self.azure.delete_group(call.group)
        return self.pending.promise(
            lambda: Answer(200) if call.group.lower() not in self.azure.groups else None
        )

    def _listed(self, call: Call) -> Answer:
        wanted = re.search(r"resourceType eq '(.+)'", call.request.query.get("$filter", ""))
        found = self.azure.in_group(call.group)
        if wanted:
            found = [one for one in found if one["type"].lower() == wanted[1].lower()]
        return Answer(200, {"value": [{key: one[key] for key in ("id", "name", "type")}
                                      for one in found]})  # fmt: skip

    def _site_config(self, call: Call) -> Answer:
        site = self.azure.resources.get(call.path.removesuffix("/config/web"))
        if site is None:
            return _no_resource(call.request.path)
        return Answer(200, {"properties": site["properties"].get("siteConfig", {})})

    def _get(self, call: Call) -> Answer:
        found = self.azure.resources.get(call.path)
        if found:
            return Answer(200, _without_secret(found))
        if call.path.rpartition("/")[0] in self.azure.resources:
            return Answer(200, {"value": self.azure.children(call.path)})
        return _no_resource(call.request.path)

    def _put(self, call: Call) -> Answer:
        return Answer(200, self.azure.add(call.request.path, **call.request.body))

    def _delete(self, call: Call) -> Answer:
        return Answer(200 if self.azure.resources.pop(call.path, None) else 204)


def _without_secret(resource: Json) -> Json:
    """A vault gives no secret away through the resource manager."""
    if type_of(resource["id"]).lower() != "microsoft.keyvault/vaults/secrets":
        return resource
    properties: dict[str, Any] = {**resource["properties"]}
    properties.pop("value", None)
    return {**resource, "properties": properties}


def _no_resource(path: str) -> Answer:
    text = f"The Resource '{path.partition('/providers/')[2]}' was not found."
    return refusal(404, "ResourceNotFound", text)
