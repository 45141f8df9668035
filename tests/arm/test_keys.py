"""Who may what without any key, in every scenario."""

from tests.arm.evaluate import Evaluated
from tests.arm.rules import keys, roles


def test_no_service_takes_a_key(e: Evaluated) -> None:
    assert keys.no_service_takes_a_key(e) == []


def test_no_site_takes_a_publishing_password(e: Evaluated) -> None:
    assert keys.no_site_takes_a_publishing_password(e) == []


def test_tls_is_never_older_than_1_2(e: Evaluated) -> None:
    assert keys.tls_is_never_older_than_1_2(e) == []


def test_secrets_are_only_in_the_vault(e: Evaluated) -> None:
    assert keys.secrets_are_only_in_the_vault(e) == []


def test_every_identity_has_exactly_the_roles_it_uses(e: Evaluated) -> None:
    assert roles.every_identity_has_exactly_the_roles_it_uses(e) == []


def test_the_gateway_reads_one_vault_alone(e: Evaluated) -> None:
    assert roles.the_gateway_reads_one_vault_alone(e) == []


def test_roles_are_given_to_identities_as_such(e: Evaluated) -> None:
    assert roles.roles_are_given_to_identities_as_such(e) == []


def test_redis_lets_in_the_app_alone(e: Evaluated) -> None:
    assert roles.redis_lets_in_the_app_alone(e) == []


def test_postgres_is_run_by_release_alone(e: Evaluated) -> None:
    assert roles.postgres_is_run_by_release_alone(e) == []


def test_every_part_runs_as_its_own_identity(e: Evaluated) -> None:
    assert roles.every_part_runs_as_its_own_identity(e) == []


def test_nothing_is_let_in_by_vault_policies(e: Evaluated) -> None:
    assert roles.nothing_is_let_in_by_vault_policies(e) == []
