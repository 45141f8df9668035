"""Bringing another image into service, app after app, and back where one of them is not well.

First the release app, which brings the tables up to date once (`bootstrap`): migrations only add
what the version before can live with, so both may run meanwhile. Then worker, beat and web, so that
nothing is sent to a worker that does not know it yet.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from portal.infra.arm import Arm, ArmError
from portal.infra.sites import Site

ORDER = ("release", "worker", "beat", "web")
LOOK_SECONDS = 5.0
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

Say = Callable[[str], None]


class ReleaseError(Exception):
    """The release was not brought into service. The text says how things stand."""


@dataclass(frozen=True)
class Place:
    """Where a release goes: the apps in the order of switching, and the registry."""

    sites: tuple[Site, ...]
    registry: str
    login_server: str
    repository: str

    def image(self, tag: str) -> str:
        """The image of this tag; raises ReleaseError for what cannot be one."""
        if not _TAG.fullmatch(tag):
            raise ReleaseError(f"“{tag}” cannot be the tag of an image")
        return f"{self.login_server}/{self.repository}:{tag}"


def find_place(arm: Arm, group: str, outputs: Mapping[str, Any]) -> Place:
    """The place that a deployment's outputs describe. Raises ReleaseError for what is missing."""
    needed = [*(f"{role}AppName" for role in ORDER), "registryName", "registryLoginServer", "image"]
    missing = [name for name in needed if not outputs.get(name)]
    if missing:
        raise ReleaseError(f"The deployment has no output {', '.join(missing)}")
    root = f"{arm.group(group)}/providers"
    names = {role: str(outputs[f"{role}AppName"]) for role in ORDER}
    return Place(
        sites=tuple(
            Site(role, name, f"{root}/Microsoft.Web/sites/{name}") for role, name in names.items()
        ),
        registry=f"{root}/Microsoft.ContainerRegistry/registries/{outputs['registryName']}",
        login_server=str(outputs["registryLoginServer"]),
        repository=str(outputs["image"]).rpartition(":")[0] or str(outputs["image"]),
    )


def switch(arm: Arm, place: Place, tag: str, *, patience: float, say: Say) -> dict[str, str]:
    """Have all apps run this tag; returns what each ran before.

    `patience` is how many seconds each may take to be well. Where one does not get there, all that
    were switched go back to what they ran, and ReleaseError says so.
    """
    image = place.image(tag)
    before = {site.role: site.image(arm) for site in place.sites}
    switched: list[Site] = []
    for site in place.sites:
        switched.append(site)
        try:
            _bring(arm, site, image, patience, say)
        except (ReleaseError, ArmError) as error:
            say(f"{site.role}: {error}")
            _go_back(arm, switched, before, say)
            raise ReleaseError(f"{image} is not in service: {site.role} failed. {error}") from error
    return before


def _bring(arm: Arm, site: Site, image: str, patience: float, say: Say) -> None:
    """Switch one app, and wait until it is well."""
    say(f"{site.role}: starting {image}")
    since = datetime.now(UTC)
    site.switch(arm, image)
    _wait(arm, site, image.rpartition(":")[2], since, patience, say)


def _wait(arm: Arm, site: Site, tag: str, since: datetime, patience: float, say: Say) -> None:
    deadline = time.monotonic() + patience
    told = ""
    while True:
        health = site.health(arm, since=since, release=tag)
        if health.is_well:
            say(f"{site.role}: well ({health.says})")
            return
        if health.says != told:
            say(f"{site.role}: waiting: {health.says}")
        told = health.says
        if time.monotonic() > deadline:
            raise ReleaseError(f"It was not well within {patience:.0f} seconds: {health.says}")
        time.sleep(LOOK_SECONDS)


def _go_back(arm: Arm, switched: list[Site], before: Mapping[str, str], say: Say) -> None:
    """Put back what each ran, the last first; what cannot be put back is said."""
    for site in reversed(switched):
        image = before[site.role]
        if not image:
            say(f"{site.role}: ran nothing before, and is left as it is")
            continue
        try:
            site.switch(arm, image)
            say(f"{site.role}: back to {image}")
        except ArmError as error:
            say(f"{site.role}: NOT back to {image}: {error}")
