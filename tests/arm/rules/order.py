"""What must be there before what: Azure does many things at once unless it is told."""

from collections.abc import Iterator
from functools import lru_cache

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.rules.endpoints import endpoints_of, target_of, zones_of
from tests.arm.rules.facts import (
    DEPLOYMENT,
    ENDPOINT,
    GATEWAY,
    MODEL,
    OPENAI,
    POSTGRES,
    REGISTRY,
    ROLE,
    SITE,
    VAULT,
    ZONE_GROUP,
    ZONE_LINK,
    walk,
)
from tests.arm.rules.roles import scope_of

POSTGRES_CHILDREN = {
    f"{POSTGRES}/{kind}" for kind in ("databases", "administrators", "configurations")
}


class Order:
    """Who waits for whom, deployments inside deployments included."""

    def __init__(self, e: Evaluated) -> None:
        self.by_id = {one.id.lower(): one for one in e.resources}
        self.before = lru_cache(maxsize=None)(self._before)

    def _before(self, id_: str) -> frozenset[str]:
        """The ids of everything that is finished when this one begins."""
        one = self.by_id[id_]
        direct = {other.lower() for other in one.depends_on} & self.by_id.keys()
        found = set(direct)
        for other in direct:
            found |= self.before(other)
        if one.deployment:
            found |= self.before(one.deployment.lower())
        return frozenset(found)

    def is_after(self, one: Resource, other: Resource) -> bool:
        """Whether `other` is finished when `one` begins.

        A deployment is finished when all inside is; so it is enough to wait for one around it.
        """
        waited = self.before(one.id.lower())
        return any(id_ in waited for id_ in self.around(other))

    def around(self, one: Resource) -> list[str]:
        """The resource and the deployments that it is in."""
        found, id_ = [], one.id.lower()
        while id_ in self.by_id:
            found.append(id_)
            id_ = self.by_id[id_].deployment.lower()
        return found


def everything_waits_for_what_it_names(e: Evaluated) -> list[str]:
    """A resource whose id stands in another's body, or is its parent or scope, comes first."""
    order = Order(e)
    found = []
    for one in e.resources:
        inside = set(order.around(one))
        for id_ in sorted(_named(one, order) - inside):
            other = order.by_id[id_]
            if one.id.lower() not in order.around(other) and not order.is_after(one, other):
                found.append(f"{one.type} {one.name} does not wait for {other.type} {other.name}")
    return found


def _named(one: Resource, order: Order) -> set[str]:
    texts = {text.lower() for _, text in walk(one.body) if isinstance(text, str)}
    texts |= {
        key.lower() for _, value in walk(one.body) if isinstance(value, dict) for key in value
    }
    texts |= {id_.lower() for id_ in one.references} | {one.id.lower()}
    return {id_ for text in texts for id_ in _above(text) if id_ in order.by_id} - {one.id.lower()}


def _above(text: str) -> Iterator[str]:
    """The text itself, and as an id everything that it is inside of."""
    while "/providers/" in text:
        yield text
        text = text.rpartition("/")[0]


def openai_endpoint_comes_after_all_models(e: Evaluated) -> list[str]:
    """Else AccountProvisioningStateInvalid (Azure/bicep-registry-modules #5957)."""
    order = Order(e)
    return [
        f"{endpoint.name} does not wait for the model {model.name}"
        for account in e.of(OPENAI)
        for endpoint in endpoints_of(e, account.id)
        for model in e.of(MODEL)
        if not order.is_after(endpoint, model)
    ]


def one_by_one(e: Evaluated, things: list[Resource]) -> list[str]:
    """Complaints about pairs that could be made at the same time."""
    order = Order(e)
    return [
        f"{first.name} and {second.name} are made at the same time"
        for number, first in enumerate(things)
        for second in things[number + 1 :]
        if not order.is_after(first, second) and not order.is_after(second, first)
    ]


def models_are_deployed_one_by_one(e: Evaluated) -> list[str]:
    """The account takes one change at a time."""
    return one_by_one(e, e.of(MODEL))


def postgres_is_changed_one_by_one(e: Evaluated) -> list[str]:
    """Children and endpoint; else ServerIsBusy (Azure/azure-postgresql #134)."""
    things = e.of(*POSTGRES_CHILDREN)
    things += [one for server in e.of(POSTGRES) for one in endpoints_of(e, server.id)]
    return one_by_one(e, things)


def names_are_written_after_the_zones_links(e: Evaluated) -> list[str]:
    """A name that is asked for before its zone is linked is remembered as a public one."""
    order = Order(e)
    return [
        f"{group.name} does not wait for the link {link.name}"
        for group in e.of(ZONE_GROUP)
        for zone in zones_of(group)
        for link in e.of(ZONE_LINK)
        if link.id.lower().startswith(f"{zone.lower()}/") and not order.is_after(group, link)
    ]


def sites_start_when_they_can(e: Evaluated) -> list[str]:
    """A site that starts needs its roles, and the endpoints and names that it connects to."""
    order, found = Order(e), []
    on = {one.id.lower() for one in e.of(REGISTRY, VAULT, OPENAI)}
    needed = [
        one for one in e.of(ROLE) if scope_of(one).lower() in on and "gateway" not in one.name
    ]
    own = {site.id.lower() for site in e.of(SITE)}
    needed += [one for one in e.of(ENDPOINT, ZONE_GROUP) if not _leads_to(e, one, own)]
    for site in e.of(SITE):
        found += [
            f"{site.name} does not wait for {one.type} {one.name}"
            for one in needed
            if not order.is_after(site, one)
        ]
    return found


def _leads_to(e: Evaluated, one: Resource, ids: set[str]) -> bool:
    around = [
        end for end in e.of(ENDPOINT) if f"{one.id}/".lower().startswith(f"{end.id}/".lower())
    ]
    return any(target_of(end).lower() in ids for end in around)


def the_gateway_comes_after_its_certificate(e: Evaluated) -> list[str]:
    """It reads the vault when it is made: its role, and the vault's endpoint, come first."""
    order, found = Order(e), []
    for gateway in e.of(GATEWAY):
        needed = [
            one
            for one in e.of(ROLE)
            if any(scope_of(one).lower() == v.id.lower() for v in e.of(VAULT))
        ]
        needed += [one for vault in e.of(VAULT) for one in endpoints_of(e, vault.id)]
        found += [
            f"{gateway.name} does not wait for {one.type} {one.name}"
            for one in needed
            if not order.is_after(gateway, one)
        ]
    return found


def no_deployment_waits_in_its_properties(e: Evaluated) -> list[str]:
    """`dependsOn` inside `properties` is ignored without a word."""
    return [
        f"{one.name}: dependsOn stands at {path}"
        for one in e.resources
        for path, _ in walk(one.body)
        if path.rpartition(".")[2] == "dependsOn"
    ] + [
        f"{one.name} is a deployment in mode {one.properties.get('mode')}"
        for one in e.of(DEPLOYMENT)
        if one.properties.get("mode") != "Incremental"
    ]


RULES = (
    everything_waits_for_what_it_names,
    openai_endpoint_comes_after_all_models,
    models_are_deployed_one_by_one,
    postgres_is_changed_one_by_one,
    names_are_written_after_the_zones_links,
    sites_start_when_they_can,
    the_gateway_comes_after_its_certificate,
    no_deployment_waits_in_its_properties,
)
