"""What is reachable, in every scenario: nothing from outside, everything privately."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules import endpoints, perimeter


def test_public_access_is_off(e: Evaluated) -> None:
    assert perimeter.public_access_is_off(e) == []


def test_nothing_switches_public_access_on(e: Evaluated) -> None:
    assert perimeter.nothing_switches_public_access_on(e) == []


def test_no_hole_is_made(e: Evaluated) -> None:
    assert perimeter.no_hole_is_made(e) == []


def test_public_addresses_belong_to_the_gateway(e: Evaluated) -> None:
    assert perimeter.public_addresses_belong_to_the_gateway(e) == []


def test_subnets_have_no_way_out_of_their_own(e: Evaluated) -> None:
    assert perimeter.subnets_have_no_way_out_of_their_own(e) == []


def test_every_service_has_a_private_endpoint(e: Evaluated) -> None:
    assert endpoints.every_service_has_a_private_endpoint(e) == []


def test_every_endpoint_is_in_the_guarded_subnet(e: Evaluated) -> None:
    assert endpoints.every_endpoint_is_in_the_guarded_subnet(e) == []


def test_every_endpoint_writes_its_names(e: Evaluated) -> None:
    assert endpoints.every_endpoint_writes_its_names(e) == []


def test_every_zone_of_ours_is_linked(e: Evaluated) -> None:
    assert endpoints.every_zone_of_ours_is_linked(e) == []


def test_every_zone_that_is_written_to_exists_once(e: Evaluated) -> None:
    assert endpoints.every_zone_that_is_written_to_exists_once(e) == []


def test_every_host_in_the_settings_is_private(e: Evaluated) -> None:
    assert endpoints.every_host_in_the_settings_is_private(e) == []


def test_every_host_in_the_settings_is_one_of_ours(e: Evaluated) -> None:
    assert endpoints.every_host_in_the_settings_is_one_of_ours(e) == []


def test_no_zone_is_named_wrongly(e: Evaluated) -> None:
    assert endpoints.no_zone_is_named_wrongly(e) == []
