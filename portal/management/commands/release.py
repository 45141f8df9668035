"""``manage.py release``: another image into service, and back where it does not do well."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from portal.infra import builds, history, releasing
from portal.infra.arm import Arm, ArmError
from portal.infra.builds import BuildError
from portal.infra.history import NothingDeployed
from portal.infra.releasing import Place, ReleaseError

_PATIENCE_SECONDS = 900
_INTERRUPTED = 130  # the status of a command that Ctrl-C has ended


class Command(BaseCommand):
    """Builds or takes an image, brings the tables up to date once, and switches the apps."""

    help = (
        "Bring an image into service in a resource group that `infra deploy` made: first the"
        " release app, which brings the tables up to date once, then worker, beat and web, each"
        " when the one before is well. Where one is not well in time, or you break it off, all go"
        " back to what they ran, and the status is not 0. One release at a time, and none while"
        " `infra deploy` runs; a release that was killed leaves different images behind: repeat it"
        " with --take-over. From outside the network no app answers; then Azure's measurements"
        " count, which are minutes late and do not name the release. Takes an image that is in"
        " the registry, or builds it: inside the network by a task of the registry (--build, from"
        " the last commit), or by a command of yours (--builder), which builds and pushes $IMAGE."
        " To go back by hand, release the tag that is printed as the one before. Examples:"
        " release 1.4.0 --resource-group rg-atrium --build --agent-pool private;"
        " release 1.3.2 --resource-group rg-atrium --dry-run"
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The tag, where it comes from, and where it goes."""
        parser.add_argument("tag", help="the image's tag, which names the release")
        parser.add_argument("-g", "--resource-group", required=True, metavar="NAME")
        parser.add_argument(
            "--subscription", default=settings.AZURE_SUBSCRIPTION_ID, metavar="ID",
            help="default: AZURE_SUBSCRIPTION_ID",
        )  # fmt: skip
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--build", action="store_true", help="by a task of the registry")
        how.add_argument("--builder", metavar="COMMAND", help="by this command: it pushes $IMAGE")
        parser.add_argument(
            "--agent-pool", default="", metavar="NAME", help="where --build runs, in our network"
        )
        parser.add_argument(
            "--patience", type=float, default=_PATIENCE_SECONDS, metavar="SECONDS",
            help=f"for each app to be well (default: {_PATIENCE_SECONDS})",
        )  # fmt: skip
        parser.add_argument(
            "--take-over", action="store_true",
            help="although the apps run different images: no other release goes on",
        )  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what would happen, only")

    def handle(self, *args: Any, **options: Any) -> None:
        """Build where asked to, then switch."""
        self._began = datetime.now(UTC)
        if not options["subscription"]:
            raise CommandError("Give --subscription, or set AZURE_SUBSCRIPTION_ID")
        if options["build"] and not options["agent_pool"]:
            raise CommandError(
                "--build needs --agent-pool: the registry takes images from inside the network"
            )
        try:
            with Arm(options["subscription"]) as arm:
                self._release(arm, options)
        except (ArmError, BuildError, NothingDeployed, ReleaseError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("Broken off.", returncode=_INTERRUPTED) from None

    def _release(self, arm: Arm, options: dict[str, Any]) -> None:
        group, tag = options["resource_group"], options["tag"]
        place = releasing.find_place(arm, group, history.outputs(arm, group))
        place.image(tag)
        if options["dry_run"]:
            self._plan(arm, place, options)
            return
        take_over = options["take_over"]
        releasing.refuse_second(arm, group, place, take_over=take_over)
        if self._build(arm, place, options):
            releasing.refuse_second(arm, group, place, take_over=take_over)
        before = releasing.switch(arm, place, tag, patience=options["patience"], say=self._say)
        self._say(f"In service: {place.image(tag)}")
        if old := before["web"].rpartition(":")[2]:
            self._say(f"Before: {old}. To go back: release {old} --resource-group {group}")

    def _build(self, arm: Arm, place: Place, options: dict[str, Any]) -> bool:
        """Whether there was something to build, which takes minutes."""
        tag = options["tag"]
        if options["build"]:
            builds.build_in_network(
                arm,
                place.registry,
                tree=Path(settings.BASE_DIR),
                name=f"{place.repository}:{tag}",
                agent_pool=options["agent_pool"],
                say=self._say,
            )
        elif options["builder"] is not None:
            builds.build_with(options["builder"], image=place.image(tag))
        return bool(options["build"] or options["builder"] is not None)

    def _plan(self, arm: Arm, place: Place, options: dict[str, Any]) -> None:
        image = place.image(options["tag"])
        how = "is taken as it is in the registry"
        if options["build"]:
            how = f"is built from the last commit, on agent pool {options['agent_pool']}"
        elif options["builder"] is not None:
            how = f"is built and pushed by: {options['builder']}"
        self.stdout.write(f"{image} {how}. Then, each when the one before is well:")
        for number, site in enumerate(place.sites, start=1):
            runs = site.image(arm) or "nothing"
            self.stdout.write(f"{number}. {site.role} ({site.name}), which runs {runs}")
        self.stdout.write("Nothing was changed.")

    def _say(self, text: str) -> None:
        """A line with the time since the start, at once."""
        passed = int((datetime.now(UTC) - self._began).total_seconds())
        self.stdout.write(f"{passed // 60:02d}:{passed % 60:02d}  {text}")
        self.stdout.flush()
