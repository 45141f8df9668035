"""Every service has a private endpoint, and its names lead there."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.ids import name_of
from tests.arm.rules.facts import (
    ENDPOINT,
    SERVICES,
    SITE,
    VNET,
    ZONE,
    ZONE_GROUP,
    ZONE_LINK,
    Service,
    dig,
    same,
    services,
    settings_of,
    subnets,
    walk,
)


def target_of(endpoint: Resource) -> str:
    """The id of what an endpoint leads to."""
    return _connection(endpoint)["target"]


def endpoints_of(e: Evaluated, target: str) -> list[Resource]:
    """The private endpoints that lead to this resource."""
    return [one for one in e.of(ENDPOINT) if same(_connection(one)["target"], target)]


def _connection(endpoint: Resource) -> dict[str, str]:
    connections = endpoint.properties.get("privateLinkServiceConnections", [])
    if len(connections) != 1:
        return {"target": "", "groups": ""}
    own = connections[0]["properties"]
    return {"target": own["privateLinkServiceId"], "groups": ",".join(own["groupIds"])}


def zone_groups_of(e: Evaluated, endpoint: Resource) -> list[Resource]:
    """The zone groups of an endpoint."""
    start = f"{endpoint.id}/".lower()
    return [one for one in e.of(ZONE_GROUP) if one.id.lower().startswith(start)]


def zones_of(group: Resource) -> list[str]:
    """The ids of the zones that a zone group writes into."""
    entries = group.properties.get("privateDnsZoneConfigs", [])
    return [entry["properties"]["privateDnsZoneId"] for entry in entries]


def every_service_has_a_private_endpoint(e: Evaluated) -> list[str]:
    """One endpoint for each service, of the right kind."""
    found = []
    for service in services(e):
        endpoints = endpoints_of(e, service.id)
        if len(endpoints) != 1:
            found.append(f"{service.type} {service.name} has {len(endpoints)} private endpoints")
        wanted = SERVICES[service.type].group_id
        found += [
            f"{one.name} is for {_connection(one)['groups']!r}, not {wanted!r}"
            for one in endpoints
            if _connection(one)["groups"] != wanted
        ]
    return found


def every_endpoint_is_in_the_guarded_subnet(e: Evaluated) -> list[str]:
    """All endpoints are in one subnet, and security groups hold in it."""
    where = {dig(one.body, "properties.subnet.id") for one in e.of(ENDPOINT)}
    found = [f"endpoints are in several subnets: {where}"] if len(where) != 1 else []
    for id_, subnet in subnets(e).items():
        policies = dig(subnet, "properties.privateEndpointNetworkPolicies")
        if id_ in where and policies != "Enabled":
            found.append(f"security groups do not hold for the endpoints in {subnet['name']}")
    return found


def every_endpoint_writes_its_names(e: Evaluated) -> list[str]:
    """Each endpoint has a zone group with exactly the zones of its service.

    Not where a policy writes the records: then there is no zone group at all.
    """
    if not e.of(ZONE_GROUP):
        return []
    found = []
    for endpoint in e.of(ENDPOINT):
        service = _service_of(e, endpoint)
        zones = {name_of(id_) for one in zone_groups_of(e, endpoint) for id_ in zones_of(one)}
        if service and zones != service.zones:
            found.append(f"{endpoint.name} writes {sorted(zones)}, not {sorted(service.zones)}")
    return found


def _service_of(e: Evaluated, endpoint: Resource) -> Service | None:
    groups = _connection(endpoint)["groups"]
    return next((one for one in SERVICES.values() if one.group_id == groups), None)


def every_zone_of_ours_is_linked(e: Evaluated) -> list[str]:
    """Each zone that is made is linked to the network that the apps are in; none registers."""
    network = e.outputs.get("vnetId", "")
    found = []
    for zone in e.of(ZONE):
        links = [one for one in e.of(ZONE_LINK) if one.name.startswith(f"{zone.name}/")]
        if not any(same(dig(one.body, "properties.virtualNetwork.id"), network) for one in links):
            found.append(f"zone {zone.name} is not linked to {name_of(network)}")
    found += [
        f"{one.name} registers machines' names"
        for one in e.of(ZONE_LINK)
        if one.properties.get("registrationEnabled") is not False
    ]
    return found


def every_zone_that_is_written_to_exists_once(e: Evaluated) -> list[str]:
    """The zone groups write into zones that are made here, or into ones that were there before."""
    used = {id_.lower() for one in e.of(ZONE_GROUP) for id_ in zones_of(one)}
    made = {one.id.lower() for one in e.of(ZONE)}
    idle = [f"zone {name_of(id_)} is made and never written to" for id_ in sorted(made - used)]
    names = [name_of(id_) for id_ in sorted(made | used)]
    return (idle if used else []) + [
        f"there are two zones {name}" for name in set(names) if names.count(name) > 1
    ]


def hosts_in_settings(e: Evaluated) -> Iterator[tuple[str, str, str]]:
    """Site, setting and host for every host of Azure that an app setting names."""
    suffixes = tuple(service.suffix for service in SERVICES.values())
    for site in e.of(SITE):
        for name, value in settings_of(site).items():
            for word in _words(value):
                if word.endswith(suffixes):
                    yield site.name, name, word


def _words(value: str) -> Iterator[str]:
    if "://" in value:
        yield urlsplit(value).hostname or ""
    else:
        yield from value.replace('"', " ").replace(",", " ").split()


def every_host_in_the_settings_is_private(e: Evaluated) -> list[str]:
    """A host that an app setting names is covered by a zone that some endpoint writes to."""
    if not e.of(ZONE_GROUP):
        return []
    written = {name_of(id_) for one in e.of(ZONE_GROUP) for id_ in zones_of(one)}
    found = []
    for site, setting, host in hosts_in_settings(e):
        service = next(one for one in SERVICES.values() if host.endswith(one.suffix))
        if not service.zones <= written:
            found.append(f"{site}: {setting} names {host}, which no zone covers")
    return found


def every_host_in_the_settings_is_one_of_ours(e: Evaluated) -> list[str]:
    """A host that an app setting names belongs to a service that has an endpoint here."""
    names = {name_of(_connection(one)["target"]).lower() for one in e.of(ENDPOINT)} | {
        e.outputs.get("openAiName", "").lower()
    }
    return [
        f"{site}: {setting} names {host}, which has no endpoint"
        for site, setting, host in hosts_in_settings(e)
        if not any(host.startswith((f"{name}.", f"{name}-")) for name in names if name)
    ]


def no_zone_is_named_wrongly(e: Evaluated) -> list[str]:
    """The zones that are made are exactly those of the services."""
    known = {zone for service in SERVICES.values() for zone in service.zones}
    made = [one for one in e.of(ZONE) if one.name not in known]
    found = [f"no service of ours uses the zone {one.name}" for one in made]
    linked = {str(value) for one in e.of(ZONE_LINK) for _, value in walk(one.body)}
    if e.of(VNET) and e.of(ZONE) and not any("/virtualNetworks/" in text for text in linked):
        found.append("no zone link names a network")
    return found


RULES = (
    every_service_has_a_private_endpoint,
    every_endpoint_is_in_the_guarded_subnet,
    every_endpoint_writes_its_names,
    every_zone_of_ours_is_linked,
    every_zone_that_is_written_to_exists_once,
    every_host_in_the_settings_is_private,
    every_host_in_the_settings_is_one_of_ours,
    no_zone_is_named_wrongly,
)
