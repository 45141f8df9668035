"""Bringing another image into service, app after app, and back where one of them is not well.

First the release app, which brings the tables up to date once (`bootstrap`): migrations only add
what the version before can live with, so both may run meanwhile. Then worker, beat and web, so that
nothing is sent to a worker that does not know it yet.

One release at a time. Nothing is locked, so nothing is left locked: apps with different images are
the sign of a release that goes on, and each app is looked at once more before it is touched.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic, sleep
from typing import Any

from portal.infra import history
from portal.infra.arm import Arm, ArmError
from portal.infra.sites import Site

ORDER = ("release", "worker", "beat", "web")
LOOK_SECONDS = 5.0
# How long all that were put back may take to be well, at most.
BACK_SECONDS = 300.0
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


def refuse_second(arm: Arm, group: str, place: Place, *, take_over: bool) -> None:
    """Raise ReleaseError while somebody else changes these apps.

    A release that was broken off looks the same as one that goes on; `take_over` says which it is.
    """
    if active := history.running(arm, group):
        raise ReleaseError(
            f"The deployment {active['name']} is still running; it sets the apps' images too."
            f" Watch it with `infra deploy --resource-group {group} --follow`"
        )
    images = {site.role: site.image(arm) or "nothing" for site in place.sites}
    if len(set(images.values())) > 1 and not take_over:
        told = "; ".join(f"{role} runs {image}" for role, image in images.items())
        raise ReleaseError(
            f"Another release goes on, or one was broken off: {told}. If none goes on: --take-over"
        )


def switch(arm: Arm, place: Place, tag: str, *, patience: float, say: Say) -> dict[str, str]:
    """Have all apps run this tag; returns what each ran before.

    `patience` is how many seconds each may take to be well. Where one does not get there, all that
    were switched go back to what they ran, and ReleaseError says so. Whatever else ends this, a
    KeyboardInterrupt too, leads back as well, and is raised again.
    """
    image = place.image(tag)
    before = {site.role: site.image(arm) for site in place.sites}
    change = _Change(arm, image, before, patience, say)
    touched: list[Site] = []
    for site in place.sites:
        try:
            change.refuse_other(site)
            touched.append(site)
            change.bring(site)
        except BaseException as error:
            say(f"{site.role}: {str(error) or type(error).__name__}")
            change.go_back(touched)
            if not isinstance(error, ReleaseError | ArmError):
                raise
            raise ReleaseError(f"{image} is not in service: {site.role} failed. {error}") from error
    return before


@dataclass(frozen=True)
class _Change:
    """From the images `before`, by role, to `image`."""

    arm: Arm
    image: str
    before: Mapping[str, str]
    patience: float
    say: Say

    def refuse_other(self, site: Site) -> None:
        """Raise ReleaseError where somebody else has switched it since this began."""
        if (runs := site.image(self.arm)) != self.before[site.role]:
            raise ReleaseError(f"Somebody else has switched it meanwhile, to {runs}")

    def bring(self, site: Site) -> None:
        """Switch one app, and wait until it is well."""
        self.say(f"{site.role}: starting {self.image}")
        since = site.switch(self.arm, self.image)
        self._wait(site, self.image, since, monotonic() + self.patience)

    def go_back(self, touched: list[Site]) -> None:
        """Put back what each ran, the last first, and say how they are; never raises Exception."""
        if touched:
            self.say("Going back to what ran before; let it come to its end")
        back = [(site, self._put_back(site)) for site in reversed(touched)]
        deadline = monotonic() + min(self.patience, BACK_SECONDS)
        for site, since in back:
            if since is None:
                continue
            try:
                self._wait(site, self.before[site.role], since, deadline)
            except Exception as error:  # noqa: BLE001  # the others are waited for all the same
                self.say(f"{site.role}: back, but NOT known to be well: {_told(error)}")

    def _put_back(self, site: Site) -> datetime | None:
        """When it was started with what it ran; None where it was not, which is said."""
        image = self.before[site.role]
        if not image:
            self.say(f"{site.role}: ran nothing before, and is left as it is")
            return None
        try:
            if (runs := site.image(self.arm)) not in {self.image, image}:
                self.say(f"{site.role}: left as somebody else has set it, to {runs}")
                return None
            since = site.switch(self.arm, image)
        except Exception as error:  # noqa: BLE001  # the others are put back all the same
            self.say(f"{site.role}: NOT back to {image}: {_told(error)}")
            return None
        self.say(f"{site.role}: back to {image}")
        return since

    def _wait(self, site: Site, image: str, since: datetime, deadline: float) -> None:
        told, tag, began = "", image.rpartition(":")[2], monotonic()
        while True:
            health = site.health(self.arm, since=since, release=tag)
            if health.is_well:
                self.say(f"{site.role}: well ({health.says})")
                return
            if health.says != told:
                self.say(f"{site.role}: waiting: {health.says}")
            told = health.says
            if monotonic() > deadline:
                passed = monotonic() - began
                raise ReleaseError(f"It was not well within {passed:.0f} seconds: {told}")
            sleep(LOOK_SECONDS)


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__
