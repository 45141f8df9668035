"""One request to the resource manager, and the parts of its address."""

from typing import NamedTuple

from tests.cloud.arm_answers import Json


class Request(NamedTuple):
    """One request; `path` as it was written, `query` with one value for each name."""

    method: str
    path: str
    query: dict[str, str]
    body: Json


class Call(NamedTuple):
    """A request with the named parts of its address, as a route found them."""

    request: Request
    names: dict[str, str]

    @property
    def path(self) -> str:
        """The address, in small letters as Azure compares them."""
        return self.request.path.lower()

    @property
    def group(self) -> str:
        """The resource group in it, as it was written."""
        return self.names["group"]

    @property
    def run(self) -> str:
        """The deployment in it."""
        return self.names["run"]
