"""What may flow between subnets, in every scenario."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules import paths


def test_every_subnet_has_a_security_group(e: Evaluated) -> None:
    assert paths.every_subnet_has_a_security_group(e) == []


def test_apps_reach_every_service(e: Evaluated) -> None:
    assert paths.apps_reach_every_service(e) == []


def test_apps_reach_entra(e: Evaluated) -> None:
    assert paths.apps_reach_entra(e) == []


def test_gateway_reaches_the_portal(e: Evaluated) -> None:
    assert paths.gateway_reaches_the_portal(e) == []


def test_clients_reach_the_portal_alone(e: Evaluated) -> None:
    assert paths.clients_reach_the_portal_alone(e) == []


def test_nothing_else_flows(e: Evaluated) -> None:
    assert paths.nothing_else_flows(e) == []
