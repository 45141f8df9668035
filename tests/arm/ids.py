"""Resource ids: made, taken apart and compared."""

from dataclasses import dataclass
from typing import Any

from tests.arm.expressions import TemplateError


@dataclass(frozen=True)
class Place:
    """Where a deployment puts its resources."""

    subscription: str
    group: str
    location: str

    @property
    def subscription_id(self) -> str:
        """The subscription as a resource id."""
        return f"/subscriptions/{self.subscription}"

    @property
    def group_id(self) -> str:
        """The resource group as a resource id."""
        return f"{self.subscription_id}/resourceGroups/{self.group}"

    def absolute(self, scope: str) -> str:
        """The full id of what `type/name` means here; a full id stays as it is."""
        return scope if scope.startswith("/") else f"{self.group_id}/providers/{scope}"


def provider_path(type_: str, names: list[str]) -> str:
    """`Microsoft.X/parents/p/children/c` from the type and one name for each of its segments."""
    provider, *kinds = type_.split("/")
    if len(kinds) != len(names):
        raise TemplateError(f"{type_} needs {len(kinds)} names, not {names}")
    if not all(names):
        raise TemplateError(f"a name of {type_} is empty: {names}")
    return "/".join([provider, *(part for pair in zip(kinds, names, strict=True) for part in pair)])


def resource_id(place: Place, *arguments: Any) -> str:
    """What resourceId([subscription], [group], type, name, …) gives."""
    at = next((n for n, text in enumerate(arguments) if "/" in str(text)), -1)
    if at < 0 or at > 2 or not all(isinstance(text, str) for text in arguments):
        raise TemplateError(f"resourceId() cannot read {arguments}")
    group = arguments[at - 1] if at else place.group
    subscription = arguments[0] if at == 2 else place.subscription
    path = provider_path(arguments[at], list(arguments[at + 1 :]))
    return f"{Place(subscription, group, '').group_id}/providers/{path}"


def nested_id(base: str, *arguments: Any) -> str:
    """The id of an extension resource, or of one that belongs to a subscription or tenant."""
    path = provider_path(arguments[0], list(arguments[1:]))
    return f"{base}/providers/{path}"


def type_of(id_: str) -> str:
    """The type of the resource with this id."""
    provider, *rest = id_.rpartition("/providers/")[2].split("/")
    return "/".join([provider, *rest[::2]])


def name_of(id_: str) -> str:
    """The name of the resource with this id; a child's begins with its parent's."""
    return "/".join(id_.rpartition("/providers/")[2].split("/")[2::2])


def group_of(id_: str) -> str:
    """The resource group that the resource with this id is in."""
    parts = id_.split("/")
    return parts[4] if len(parts) > 4 else ""
