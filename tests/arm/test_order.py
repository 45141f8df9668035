"""What is made before what, in every scenario."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules import order


def test_everything_waits_for_what_it_names(e: Evaluated) -> None:
    assert order.everything_waits_for_what_it_names(e) == []


def test_openai_endpoint_comes_after_all_models(e: Evaluated) -> None:
    assert order.openai_endpoint_comes_after_all_models(e) == []


def test_models_are_deployed_one_by_one(e: Evaluated) -> None:
    assert order.models_are_deployed_one_by_one(e) == []


def test_postgres_is_changed_one_by_one(e: Evaluated) -> None:
    assert order.postgres_is_changed_one_by_one(e) == []


def test_names_are_written_after_the_zones_links(e: Evaluated) -> None:
    assert order.names_are_written_after_the_zones_links(e) == []


def test_sites_start_when_they_can(e: Evaluated) -> None:
    assert order.sites_start_when_they_can(e) == []


def test_the_gateway_comes_after_its_certificate(e: Evaluated) -> None:
    assert order.the_gateway_comes_after_its_certificate(e) == []


def test_no_deployment_waits_in_its_properties(e: Evaluated) -> None:
    assert order.no_deployment_waits_in_its_properties(e) == []
