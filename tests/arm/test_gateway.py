"""The gateway and its firewall, in every scenario that has one."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules import firewall, gateway


def test_streams_are_not_held_back(e: Evaluated) -> None:
    assert gateway.streams_are_not_held_back(e) == []


def test_silence_is_longer_than_a_heartbeat(e: Evaluated) -> None:
    assert gateway.silence_is_longer_than_a_heartbeat(e) == []


def test_the_host_name_is_kept(e: Evaluated) -> None:
    assert gateway.the_host_name_is_kept(e) == []


def test_the_probe_asks_whether_the_portal_is_ready(e: Evaluated) -> None:
    assert gateway.the_probe_asks_whether_the_portal_is_ready(e) == []


def test_the_backend_is_the_web_site(e: Evaluated) -> None:
    assert gateway.the_backend_is_the_web_site(e) == []


def test_plain_http_is_redirected(e: Evaluated) -> None:
    assert gateway.plain_http_is_redirected(e) == []


def test_the_certificate_is_read_from_a_vault(e: Evaluated) -> None:
    assert gateway.the_certificate_is_read_from_a_vault(e) == []


def test_the_clients_address_is_passed_on(e: Evaluated) -> None:
    assert gateway.the_clients_address_is_passed_on(e) == []


def test_the_gateway_is_one_with_a_firewall(e: Evaluated) -> None:
    assert gateway.the_gateway_is_one_with_a_firewall(e) == []


def test_the_vault_lets_the_gateway_in(e: Evaluated) -> None:
    assert gateway.the_vault_lets_the_gateway_in(e) == []


def test_every_policy_is_on(e: Evaluated) -> None:
    assert firewall.every_policy_is_on(e) == []


def test_bodies_are_as_large_as_djangos(e: Evaluated) -> None:
    assert firewall.bodies_are_as_large_as_djangos(e) == []


def test_only_content_is_left_unread(e: Evaluated) -> None:
    assert firewall.only_content_is_left_unread(e) == []


def test_no_rule_is_off(e: Evaluated) -> None:
    assert firewall.no_rule_is_off(e) == []


def test_chat_text_passes_on_its_paths_alone(e: Evaluated) -> None:
    assert firewall.chat_text_passes_on_its_paths_alone(e) == []


def test_prompts_stay_out_of_the_logs(e: Evaluated) -> None:
    assert firewall.prompts_stay_out_of_the_logs(e) == []


def test_clients_are_limited(e: Evaluated) -> None:
    assert firewall.clients_are_limited(e) == []
