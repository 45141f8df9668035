"""How the four sites run and what they are told, in every scenario."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules import apps


def test_there_are_four_sites_from_one_image(e: Evaluated) -> None:
    assert apps.there_are_four_sites_from_one_image(e) == []


def test_every_site_runs_as_it_should(e: Evaluated) -> None:
    assert apps.every_site_runs_as_it_should(e) == []


def test_every_site_pulls_with_its_own_identity(e: Evaluated) -> None:
    assert apps.every_site_pulls_with_its_own_identity(e) == []


def test_plans_do_not_share_a_subnet(e: Evaluated) -> None:
    assert apps.plans_do_not_share_a_subnet(e) == []


def test_app_subnets_are_delegated(e: Evaluated) -> None:
    assert apps.app_subnets_are_delegated(e) == []


def test_every_setting_is_known(e: Evaluated) -> None:
    assert apps.every_setting_is_known(e) == []


def test_every_needed_setting_is_there(e: Evaluated) -> None:
    assert apps.every_needed_setting_is_there(e) == []


def test_settings_name_what_is_deployed(e: Evaluated) -> None:
    assert apps.settings_name_what_is_deployed(e) == []


def test_release_acts_as_the_owner(e: Evaluated) -> None:
    assert apps.release_acts_as_the_owner(e) == []


def test_the_network_plan_names_every_service(e: Evaluated) -> None:
    assert apps.the_network_plan_names_every_service(e) == []


def test_only_the_gateway_is_trusted(e: Evaluated) -> None:
    assert apps.only_the_gateway_is_trusted(e) == []


def test_the_host_name_is_allowed(e: Evaluated) -> None:
    assert apps.the_host_name_is_allowed(e) == []
