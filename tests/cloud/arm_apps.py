"""App Service and the registry's tasks, as the resource manager tells of them.

https://learn.microsoft.com/rest/api/appservice/web-apps and …/containerregistry/registries. A test
says which images make an app unwell, and how builds end. As Azure does it, the metric has a value
for each whole minute, a minute late, and that of a start's minute is of the container before.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.cloud.arm_answers import Answer, Json, refusal
from tests.cloud.arm_azure import Azure
from tests.cloud.arm_call import Call

MINUTE = timedelta(minutes=1)
REGISTRY = "/microsoft.containerregistry/registries/[^/]+"


@dataclass
class Apps:
    """What happens to apps and builds. `url` is where sources are handed over and logs are read."""

    azure: Azure
    url: str = ""
    unwell: set[tuple[str, str]] = field(default_factory=set)  # role and tag
    build_ends: str = "Succeeded"
    started: list[tuple[str, str]] = field(default_factory=list)
    # What else happens when this tag of this role has been started.
    then: dict[tuple[str, str], Callable[[], object]] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    offers_log: bool = True
    builds: list[Json] = field(default_factory=list)
    _started_at: dict[str, datetime] = field(default_factory=dict)
    _looks: Iterator[str] = field(default_factory=lambda: iter(()))

    def routes(self) -> list[tuple[str, str, Callable[[Call], Answer]]]:
        """Method, pattern and answer of each address."""
        return [
            ("PATCH", "/sites/[^/]+/config/web$", self._configure),
            ("POST", "/sites/[^/]+/restart$", self._restart),
            ("GET", "/sites/[^/]+/providers/microsoft.insights/metrics$", self._measure),
            ("POST", f"{REGISTRY}/listbuildsourceuploadurl$", self._offer_upload),
            ("POST", f"{REGISTRY}/schedulerun$", self._schedule),
            ("GET", f"{REGISTRY}/runs/[^/]+$", self._look),
            ("POST", f"{REGISTRY}/runs/[^/]+/listlogsasurl$", self._offer_log),
        ]

    def image(self, role: str) -> str:
        """The image that an app is set to."""
        found = next(one for id_, one in self.azure.resources.items() if id_.endswith(f"-{role}"))
        return str(found["properties"]["siteConfig"]["linuxFxVersion"])

    def _site(self, call: Call) -> Json | None:
        head, _, rest = call.path.partition("/sites/")
        return self.azure.resources.get(f"{head}/sites/{rest.partition('/')[0]}")

    def _configure(self, call: Call) -> Answer:
        site = self._site(call)
        if site is None:
            return refusal(404, "ResourceNotFound", "There is no such app.")
        site["properties"].setdefault("siteConfig", {}).update(call.request.body["properties"])
        return Answer(200, {"properties": site["properties"]["siteConfig"]})

    def _restart(self, call: Call) -> Answer:
        site = self._site(call)
        if site is None:
            return refusal(404, "ResourceNotFound", "There is no such app.")
        self.started.append(_running(site))
        self._started_at[site["name"]] = self.now()
        self.then.pop(_running(site), lambda: None)()
        return Answer(200)

    def set_image(self, role: str, image: str) -> None:
        """Somebody else gives the app this image."""
        found = next(one for id_, one in self.azure.resources.items() if id_.endswith(f"-{role}"))
        found["properties"]["siteConfig"]["linuxFxVersion"] = image

    def _measure(self, call: Call) -> Answer:
        site = self._site(call)
        if site is None:
            return refusal(404, "ResourceNotFound", "There is no such app.")
        begin, end = (
            datetime.fromisoformat(time) for time in call.request.query["timespan"].split("/")
        )
        if begin >= end:
            return refusal(400, "BadRequest", "Start time and end time cannot be the same.")
        health = 0.0 if _running(site) in self.unwell else 100.0
        points: list[Json] = []
        minute = begin.replace(second=0)
        while minute < end:
            point: Json = {"timeStamp": minute.isoformat()}
            if minute + 2 * MINUTE <= self.now():
                is_old = minute <= self._started_at[site["name"]]
                point["average"] = 100.0 if is_old else health
            points.append(point)
            minute += MINUTE
        metric = {"name": {"value": "HealthCheckStatus"}, "timeseries": [{"data": points}]}
        return Answer(200, {"value": [metric]})

    def _offer_upload(self, call: Call) -> Answer:  # noqa: ARG002  # the same for every registry
        return Answer(200, {"uploadUrl": f"{self.url}/source", "relativePath": "source/1.tar.gz"})

    def _schedule(self, call: Call) -> Answer:
        self.builds.append(call.request.body)
        self._looks = iter(["Queued", "Running"])
        return Answer(200, {"properties": {"runId": "ca1", "status": "Queued"}})

    def _look(self, call: Call) -> Answer:  # noqa: ARG002  # there is one build
        return Answer(200, {"properties": {"status": next(self._looks, self.build_ends)}})

    def _offer_log(self, call: Call) -> Answer:  # noqa: ARG002  # there is one build
        if not self.offers_log:
            return refusal(403, "AuthorizationFailed", "You may not read logs.")
        return Answer(200, {"logLink": f"{self.url}/log"})


def _running(site: Json) -> tuple[str, str]:
    """The app's role and the tag that it is set to."""
    image = site["properties"]["siteConfig"]["linuxFxVersion"]
    return site["name"].rpartition("-")[2], image.rpartition(":")[2]
