"""The App Service apps of a deployment: which image they run, and how they are.

REST reference: https://learn.microsoft.com/rest/api/appservice/web-apps. An app is well when its
own health path answers 200; from outside the network, where no app answers, when Azure's metric
HealthCheckStatus says so (https://learn.microsoft.com/azure/app-service/monitor-instances-health-check).
The metric does not name the release: only an answer does.
"""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from typing import NamedTuple

from portal.infra.arm import Arm

WEB_VERSION = "2024-11-01"
METRICS_VERSION = "2024-02-01"
PREFIX = "DOCKER|"
PROBE_SECONDS = 5
# Azure has a metric's value a minute or two late.
METRIC_WINDOW = timedelta(minutes=5)
MINUTE = timedelta(minutes=1)
GOOD_VALUES = 2  # so many of 100 in a row


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Health(NamedTuple):
    """Whether an app is well, and how that is known or why it is not."""

    is_well: bool
    says: str


@dataclass(frozen=True)
class Site:
    """One app: `role` is web, worker, beat or release."""

    role: str
    name: str
    path: str

    def image(self, arm: Arm) -> str:
        """The image it is set to, as `registry/repository:tag`; empty where there is none."""
        config = arm.get(f"{self.path}/config/web", WEB_VERSION)
        return str(config["properties"].get("linuxFxVersion") or "").removeprefix(PREFIX)

    def switch(self, arm: Arm, image: str) -> datetime:
        """Set the image and start again with it; returns when that was done."""
        body = {"properties": {"linuxFxVersion": f"{PREFIX}{image}"}}
        arm.patch(f"{self.path}/config/web", WEB_VERSION, body)
        arm.post(f"{self.path}/restart", WEB_VERSION, softRestart="false", synchronous="true")
        return now()

    def health(self, arm: Arm, *, since: datetime, release: str = "") -> Health:
        """How it is; `since` is when it was started. `release` is what its answer must name."""
        host = arm.get(self.path, WEB_VERSION)["properties"]["defaultHostName"]
        # Web answers /healthz without database, Redis and worker; nobody could work with it then.
        path = "/readyz" if self.role == "web" else "/healthz"
        answer = _ask(f"https://{host}{path}")
        if answer is None:
            return _judge(self._measure(arm, since))
        status, facts = answer
        # Only the release app says which image answers, and it must.
        named = facts.get("release", "" if self.role == "release" else release)
        if status == 200 and named == release:
            return Health(is_well=True, says="its health path answers")
        return Health(is_well=False, says=f"its health path says {status} {json.dumps(facts)}")

    def _measure(self, arm: Arm, since: datetime) -> list[float]:
        """The metric of each minute that is wholly after `since`, oldest first.

        The minute of the start holds what was measured of the container before.
        """
        end = now()
        begin = max(_whole_minute(since) + MINUTE, end - METRIC_WINDOW)
        if end - begin < MINUTE:
            return []
        answer = arm.get(
            f"{self.path}/providers/Microsoft.Insights/metrics",
            METRICS_VERSION,
            metricnames="HealthCheckStatus",
            timespan=f"{begin:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
            interval="PT1M",
            aggregation="Average",
        )
        return [
            point["average"]
            for metric in answer.get("value", [])
            for series in metric.get("timeseries", [])
            for point in series.get("data", [])
            if point.get("average") is not None
        ]


def _whole_minute(time: datetime) -> datetime:
    return time.replace(second=0, microsecond=0)


def _judge(values: list[float]) -> Health:
    if not values:
        return Health(is_well=False, says="no answer from here, and no measurement yet")
    is_well = len(values) >= GOOD_VALUES and min(values[-GOOD_VALUES:]) >= 100
    return Health(is_well, f"measured health {values[-1]:.0f} %")


def _ask(url: str) -> tuple[int, dict[str, object]] | None:
    """Status and facts of a health path; None where the app is not reached from here."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as answer:  # noqa: S310  # https
            return answer.status, _facts(answer.read(10_000))
    except urllib.error.HTTPError as error:
        with error:
            # An app without public access is answered for by App Service.
            return None if error.code == 403 else (error.code, _facts(error.read(10_000)))
    except (OSError, HTTPException):
        return None


def _facts(body: bytes) -> dict[str, object]:
    try:
        facts = json.loads(body)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}
