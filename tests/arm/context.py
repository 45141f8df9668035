"""Template functions that look at the deployment: its parameters, names, place and resources."""

from collections.abc import Callable
from functools import reduce
from typing import TYPE_CHECKING, Any

from tests.arm.expressions import TemplateError
from tests.arm.functions import guid
from tests.arm.ids import nested_id, resource_id
from tests.arm.references import TENANT

if TYPE_CHECKING:
    from tests.arm.interpreter import Scope

# The public cloud, in the words of environment().
ENVIRONMENT: dict[str, Any] = {
    "name": "AzureCloud",
    "resourceManager": "https://management.azure.com/",
    "authentication": {
        "loginEndpoint": "https://login.microsoftonline.com/",
        "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
        "tenant": "common",
    },
    "suffixes": {
        "acrLoginServer": ".azurecr.io",
        "keyvaultDns": ".vault.azure.net",
        "storage": "core.windows.net",
    },
}


def copy_index(scope: "Scope", *arguments: Any) -> int:
    """The number of the turn, of this loop or of the named one, with an offset."""
    name = next((value for value in arguments if isinstance(value, str)), scope.loop)
    offset = next((value for value in arguments if isinstance(value, int)), 0)
    if name not in scope.loops:
        raise TemplateError(f"copyIndex() is used outside the loop {name!r}")
    return scope.loops[name] + offset


def lambda_variable(scope: "Scope", name: str) -> Any:
    """The value that a lambda was called with."""
    if name not in scope.variables:
        raise TemplateError(f"there is no lambda variable {name!r}")
    return scope.variables[name]


def group(scope: "Scope") -> dict[str, Any]:
    """The resource group that the deployment goes to."""
    place = scope.deployment.place
    return {
        "id": place.group_id,
        "name": place.group,
        "type": "Microsoft.Resources/resourceGroups",
        "location": place.location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


def subscription(scope: "Scope") -> dict[str, Any]:
    """The subscription that the deployment goes to."""
    place = scope.deployment.place
    return {
        "id": place.subscription_id,
        "subscriptionId": place.subscription,
        "tenantId": TENANT,
        "displayName": "Example",
    }


def deployment(scope: "Scope") -> dict[str, Any]:
    """The deployment itself."""
    given = {name: {"value": value} for name, value in scope.deployment.given.items()}
    return {
        "name": scope.deployment.name,
        "properties": {"mode": "Incremental", "parameters": given},
    }


def subscription_resource(scope: "Scope", *arguments: Any) -> str:
    """The id of a resource that belongs to a subscription, such as a role's definition."""
    place = scope.deployment.place
    if "/" in arguments[0]:
        return nested_id(place.subscription_id, *arguments)
    return nested_id(f"/subscriptions/{arguments[0]}", *arguments[1:])


def new_guid(scope: "Scope") -> str:
    """Another one each time in Azure, the same one here."""
    return guid(scope.deployment.place.group_id, "newGuid")


def refuse(scope: "Scope", *arguments: Any) -> Any:
    """Keys are read by nothing in our templates."""
    raise TemplateError(f"a list function is called with {arguments}: no template may read keys")


def sort(scope: "Scope", values: list[Any], is_before: Callable[[Any, Any], bool]) -> list[Any]:
    """The elements in the order of the comparison."""
    result: list[Any] = []
    for value in values:
        at = next((n for n, other in enumerate(result) if is_before(value, other)), len(result))
        result.insert(at, value)
    return result


LISTS = ("list", "listKeys", "listSecrets", "listAdminKeys", "listQueryKeys", "listCredentials")

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "copyindex": copy_index,
    "deployment": deployment,
    "environment": lambda _scope: ENVIRONMENT,
    "extensionresourceid": lambda _scope, *arguments: nested_id(*arguments),
    "filter": lambda _scope, values, keep: [value for value in values if keep(value)],
    "lambdavariables": lambda_variable,
    "map": lambda _scope, values, change: [change(value) for value in values],
    "newguid": new_guid,
    "parameters": lambda scope, name: scope.deployment.parameter(name),
    "reduce": lambda _scope, values, start, join: reduce(join, values, start),
    "reference": lambda scope, *arguments: scope.deployment.reference(scope, *arguments),
    "resourcegroup": group,
    "resourceid": lambda scope, *arguments: resource_id(scope.deployment.place, *arguments),
    "sort": sort,
    "subscription": subscription,
    "subscriptionresourceid": subscription_resource,
    "tenant": lambda _scope: {"tenantId": TENANT, "displayName": "Example", "countryCode": "DE"},
    "tenantresourceid": lambda _scope, *arguments: nested_id("", *arguments),
    "toobject": lambda _scope, values, key, item=lambda value: value: {
        key(value): item(value) for value in values
    },
    "utcnow": lambda _scope, _pattern="": "20300101T000000Z",
    "variables": lambda scope, name: scope.deployment.variable(name),
    **{name.lower(): refuse for name in LISTS},
}
