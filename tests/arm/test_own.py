"""Bring your own: what is there before is used, and nothing is made twice."""

from typing import Any

import pytest

from tests.arm.evaluate import Evaluated
from tests.arm.ids import name_of
from tests.arm.rules import facts
from tests.arm.rules.endpoints import zones_of
from tests.arm.rules.facts import dig, walk
from tests.arm.rules.keys import VAULT_SECRET
from tests.arm.scenarios import parameters, scenario

WORKSPACE = "Microsoft.OperationalInsights/workspaces"
PEERING = f"{facts.VNET}/virtualNetworkPeerings"
RESOLVER = "Microsoft.Network/dnsResolvers"
# What each switch replaces: the types of which nothing is made then.
REPLACED = {
    "existingVnetId": (facts.VNET, facts.SECURITY_GROUP, PEERING),
    "existingWorkspaceId": (WORKSPACE,),
    "existingOpenAiId": (facts.OPENAI,),
    "existingZoneIds": (facts.ZONE,),
}
WAF = facts.WAF_POLICY
OWN = "bring-your-own-prod"


@pytest.mark.parametrize("switch", REPLACED)
def test_what_is_there_before_is_not_made(switch: str) -> None:
    made = scenario(OWN).of(*REPLACED[switch])

    assert [one.id for one in made] == []


def test_an_own_thing_is_in_its_own_place_and_written_to_there_alone() -> None:
    e = scenario(OWN)

    elsewhere = {one.type for one in e.resources if not one.id.startswith(e.place.group_id)}

    # Roles on the account and the certificate's vault; the endpoint's consent needs no resource.
    assert elsewhere <= {facts.ROLE, facts.MODEL, facts.DEPLOYMENT}


@pytest.mark.parametrize("switch", ["existingWorkspaceId", "existingOpenAiId"])
def test_an_own_thing_is_used(switch: str) -> None:
    id_ = parameters(OWN)[switch].lower()

    texts = (text for one in scenario(OWN).resources for _, text in walk(one.body))
    owners = (one.id for one in scenario(OWN).resources)

    assert any(str(text).lower().startswith(id_) for text in (*texts, *owners))


def test_own_subnets_hold_sites_endpoints_and_gateway() -> None:
    e, subnets = scenario(OWN), parameters(OWN)["existingSubnetIds"]

    sites = {dig(one.body, "properties.virtualNetworkSubnetId") for one in e.of(facts.SITE)}
    endpoints = {dig(one.body, "properties.subnet.id") for one in e.of(facts.ENDPOINT)}

    assert sites == {subnets["web"], subnets["work"]}
    assert endpoints == {subnets["endpoints"]}
    assert subnets["gateway"] in str(e.of(facts.GATEWAY)[0].body)


def test_clients_are_told_apart_by_the_firewall_where_no_security_group_is_ours() -> None:
    rules = [one.properties["customRules"] for one in scenario("few-clients-own-network").of(WAF)]

    assert all("'matchValues': ['198.51.100.0/24']" in str(one) for one in rules)
    assert len(rules) == 3


@pytest.mark.parametrize("name", [OWN, "own-zones"])
def test_own_zones_are_written_to(name: str) -> None:
    written = {id_ for one in scenario(name).of(facts.ZONE_GROUP) for id_ in zones_of(one)}

    assert written == set(parameters(name)["existingZoneIds"].values())


def test_own_zones_are_linked_where_they_are_to_a_network_that_is_made() -> None:
    e = scenario("own-zones")

    linked = {one.id.rpartition("/virtualNetworkLinks/")[0] for one in e.of(facts.ZONE_LINK)}

    assert linked == set(parameters("own-zones")["existingZoneIds"].values())


def test_own_zones_are_not_linked_to_an_own_network() -> None:
    assert scenario(OWN).of(facts.ZONE_LINK) == []


def test_policy_that_writes_names_finds_no_zone_and_no_zone_group() -> None:
    assert scenario("policy-writes-names").of(facts.ZONE, facts.ZONE_GROUP) == []


def test_own_dns_servers_are_the_networks() -> None:
    e = scenario("own-dns-servers")

    servers = [dig(one.body, "properties.dhcpOptions.dnsServers") for one in e.of(facts.VNET)]

    assert servers == [["10.0.0.4", "10.0.0.5"]]


def test_zones_are_linked_to_the_hub_too_so_that_its_servers_can_ask_them() -> None:
    e = scenario("own-dns-servers")
    hub = parameters("own-dns-servers")["hubVnetId"]

    linked = [dig(one.body, "properties.virtualNetwork.id") for one in e.of(facts.ZONE_LINK)]

    assert linked.count(hub) == len(e.of(facts.ZONE))


def test_both_sides_of_a_peering_are_made_each_in_its_place() -> None:
    e = scenario("private-frontend-prod")
    hub = parameters("private-frontend-prod")["hubVnetId"]

    ids = {one.id.rpartition("/virtualNetworkPeerings/")[0] for one in e.of(PEERING)}

    assert ids == {hub, e.outputs["vnetId"]}


def test_no_peering_is_made_where_the_hubs_owners_do() -> None:
    assert scenario("hub-without-peering").of(PEERING) == []


def test_own_openai_account_is_reached_by_an_endpoint_here() -> None:
    e, id_ = scenario("own-openai"), parameters("own-openai")["existingOpenAiId"]

    targets = [text for one in e.of(facts.ENDPOINT) for _, text in walk(one.body) if text == id_]
    roles = [one for one in e.of(facts.ROLE) if one.id.startswith(id_)]

    assert (len(targets), len(roles)) == (1, 1)
    assert e.outputs["openAiName"] == name_of(id_)


def test_secrets_in_the_vault_are_not_written_over_by_empty_ones() -> None:
    written = [one.name.rpartition("/")[2] for one in scenario("private-dev").of(VAULT_SECRET)]

    assert sorted(written) == ["email-url", "secret-key"]
    assert scenario("second-run").of(VAULT_SECRET) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("private-dev", 0),
        ("private-prod", 0),
        ("gateway-prod", 1),
        ("private-frontend-prod", 0),
        (OWN, 1),
        ("jump-box", 2),
    ],
)
def test_number_of_public_addresses(name: str, expected: int) -> None:
    assert len(scenario(name).of(facts.PUBLIC_ADDRESS)) == expected


@pytest.mark.parametrize("name", ["private-dev", "gateway-dev", OWN])
def test_resolver_is_made_only_where_it_is_asked_for(name: str) -> None:
    asked = parameters(name).get("includeResolver", False)

    assert bool(scenario(name).of(RESOLVER)) is asked


def sizes(e: Evaluated) -> dict[str, Any]:
    """What a tier decides."""
    server, redis = e.of(facts.POSTGRES)[0], e.of(facts.REDIS)[0]
    return {
        "standby": dig(server.body, "properties.highAvailability.mode"),
        "replicas": redis.properties["highAvailability"],
        "scales": len(e.of("Microsoft.Insights/autoscaleSettings")) > 0,
        "zones": {
            dig(one.body, "properties.zoneRedundant") for one in e.of("Microsoft.Web/serverfarms")
        },
    }


def test_dev_has_one_of_each() -> None:
    expected = {"standby": "Disabled", "replicas": "Disabled", "scales": False, "zones": {False}}

    assert sizes(scenario("private-dev")) == expected


def test_prod_has_a_second_of_each_in_another_zone_and_scales_both_ways() -> None:
    e = scenario("private-prod")
    expected = {"standby": "ZoneRedundant", "replicas": "Enabled", "scales": True, "zones": {True}}

    ways = {
        text
        for one in e.of("Microsoft.Insights/autoscaleSettings")
        for path, text in walk(one.body)
        if path.endswith("direction")
    }

    assert sizes(e) == expected
    assert ways == {"Increase", "Decrease"}
