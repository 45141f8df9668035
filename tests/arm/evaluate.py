"""`evaluate`: what a template would deploy, told without Azure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.arm.deployments import Deployment, World
from tests.arm.expressions import TemplateError
from tests.arm.ids import Place
from tests.arm.resources import Resource

__all__ = ["FOLDER", "Evaluated", "Resource", "TemplateError", "evaluate"]

FOLDER = Path(__file__).parents[2] / "infra" / "arm"
SUBSCRIPTION = "00000000-1111-4222-8333-444444444444"


@dataclass(frozen=True)
class Evaluated:
    """The resources that are deployed, nested deployments among them, and the outputs' values."""

    resources: list[Resource]
    outputs: dict[str, Any]
    output_types: dict[str, str]
    place: Place

    def of(self, *types: str) -> list[Resource]:
        """The resources of these types."""
        return [resource for resource in self.resources if resource.type in types]

    def get(self, id_: str) -> Resource | None:
        """The resource with this id, when it is deployed."""
        wanted = id_.lower()
        return next((one for one in self.resources if one.id.lower() == wanted), None)


def evaluate(
    template: dict[str, Any],
    parameters: dict[str, Any],
    *,
    subscription: str = SUBSCRIPTION,
    group: str = "rg-atrium",
    location: str = "westeurope",
    folder: Path = FOLDER,
) -> Evaluated:
    """Evaluate a template with these parameter values (name to value).

    `folder` is where the template lies, for its relative links. Raises TemplateError for what Azure
    Resource Manager would refuse: unknown functions, parameters and names, values of a wrong type.
    """
    world: World = {}
    place = Place(subscription, group, location)
    deployment = Deployment(
        template, parameters, name="main", id_="", place=place, folder=folder, world=world
    )
    deployment.run()
    outputs = deployment.outputs()
    return Evaluated(
        list(world.values()),
        {name: entry["value"] for name, entry in outputs.items()},
        {name: entry["type"] for name, entry in outputs.items()},
        place,
    )
