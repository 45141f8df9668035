"""Seeded faults of keys, roles and the four sites: exactly the rule for each complains."""

import pytest

from tests.arm.faults import Fault, add, caught, drop, edit, output, put, setting
from tests.arm.rules import facts
from tests.arm.rules.facts import SECRETS
from tests.arm.rules.keys import PUBLISHING
from tests.arm.rules.roles import OPENAI_USER, POSTGRES_ADMIN

PRIVATE = "private-dev"
GATEWAY = "gateway-prod"

FAULTS: dict[str, Fault] = {
    # ── Keys and roles ──
    "keys for OpenAI": (
        PRIVATE,
        put(facts.OPENAI, "properties.disableLocalAuth", value=False),
        "no_service_takes_a_key",
    ),
    "keys for Redis": (
        PRIVATE,
        put(facts.REDIS_DATABASE, "properties.accessKeysAuthentication", "Enabled"),
        "no_service_takes_a_key",
    ),
    "password for PostgreSQL": (
        PRIVATE,
        put(facts.POSTGRES, "properties.authConfig.passwordAuth", "Enabled"),
        "no_service_takes_a_key",
    ),
    "administrator of the registry": (
        PRIVATE,
        put(facts.REGISTRY, "properties.adminUserEnabled", value=True),
        "no_service_takes_a_key",
    ),
    "publishing password": (
        PRIVATE,
        drop(PUBLISHING, "worker/basicPublishingCredentialsPolicies/scm"),
        "no_site_takes_a_publishing_password",
    ),
    "old TLS": (
        PRIVATE,
        put(facts.SITE, "properties.siteConfig.scmMinTlsVersion", "1.1", "beat"),
        "tls_is_never_older_than_1_2",
    ),
    "secret in an output": (
        PRIVATE,
        output("connection", f"x {SECRETS['emailUrl']}"),
        "secrets_are_only_in_the_vault",
    ),
    "secret in an app setting": (
        PRIVATE,
        setting("web", "SECRET_KEY", SECRETS["djangoSecretKey"]),
        "secrets_are_only_in_the_vault",
    ),
    "role too many": (
        PRIVATE,
        edit(
            facts.ROLE,
            "properties.roleDefinitionId",
            lambda id_: id_.rpartition("/")[0] + "/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
            facts.VAULT,
        ),
        "every_identity_has_exactly_the_roles_it_uses",
    ),
    "role missing": (
        PRIVATE,
        drop(facts.ROLE, facts.OPENAI),
        "every_identity_has_exactly_the_roles_it_uses",
    ),
    "role on the whole group": (
        PRIVATE,
        add(
            facts.ROLE,
            "wide",
            {
                "principalId": "33333333-3333-4333-8333-333333333333",
                "principalType": "ServicePrincipal",
                "roleDefinitionId": f"/providers/x/y/{OPENAI_USER}",
            },
        ),
        "every_identity_has_exactly_the_roles_it_uses",
    ),
    "role for an identity that is not known yet": (
        PRIVATE,
        put(facts.ROLE, "properties.principalType", None, facts.REGISTRY),
        "roles_are_given_to_identities_as_such",
    ),
    "app administers PostgreSQL": (
        PRIVATE,
        edit(
            POSTGRES_ADMIN,
            "properties.principalType",
            lambda type_: "User" if type_ == "ServicePrincipal" else type_,
        ),
        "postgres_is_run_by_release_alone",
    ),
    "Redis lets in a stranger": (
        PRIVATE,
        put(facts.REDIS_ACCESS, "properties.user.objectId", "44444444-4444-4444-8444-444444444444"),
        "redis_lets_in_the_app_alone",
    ),
    "worker runs as release": (
        PRIVATE,
        edit(
            facts.SITE,
            "identity.userAssignedIdentities",
            lambda ids: {id_.replace("-app", "-release"): {} for id_ in ids},
            "worker",
        ),
        "every_part_runs_as_its_own_identity",
    ),
    # ── Sites ──
    "traffic past the network": (
        PRIVATE,
        put(facts.SITE, "properties.outboundVnetRouting.allTraffic", False, "web"),
        "every_site_runs_as_it_should",
    ),
    "FTP": (
        PRIVATE,
        put(facts.SITE, "properties.siteConfig.ftpsState", "FtpsOnly", "web"),
        "every_site_runs_as_it_should",
    ),
    "sticky sessions": (
        PRIVATE,
        put(facts.SITE, "properties.clientAffinityEnabled", True, "web"),
        "every_site_runs_as_it_should",
    ),
    "beat is started as worker": (
        PRIVATE,
        put(facts.SITE, "properties.siteConfig.appCommandLine", "worker", "-beat"),
        "every_site_runs_as_it_should",
    ),
    "image of somebody else's": (
        PRIVATE,
        put(facts.SITE, "properties.siteConfig.linuxFxVersion", "DOCKER|nginx", "web"),
        "there_are_four_sites_from_one_image",
    ),
    "pull with another identity": (
        PRIVATE,
        put(facts.SITE, "properties.siteConfig.acrUserManagedIdentityID", "x", "release"),
        "every_site_pulls_with_its_own_identity",
    ),
    "setting that nobody reads": (
        PRIVATE,
        setting("web", "DATABSE_URL", "x"),
        "every_setting_is_known",
    ),
    "setting left out": (
        PRIVATE,
        setting("beat", "REDIS_AUTH", None),
        "every_needed_setting_is_there settings_name_what_is_deployed",
    ),
    "database without a checked certificate": (
        PRIVATE,
        setting("web", "DATABASE_URL", "postgres://id-atrium-app@x:5432/atrium?sslmode=require"),
        "settings_name_what_is_deployed",
    ),
    "worker knows the administrator": (
        PRIVATE,
        setting("worker", "DATABASE_ADMIN_URL", "postgres://id-atrium-release@x/postgres"),
        "every_needed_setting_is_there",
    ),
    "whole network trusted": (
        GATEWAY,
        setting("web", "GATEWAY_NETWORKS", "10.52.0.0/22"),
        "only_the_gateway_is_trusted",
    ),
    "vault with access policies": (
        PRIVATE,
        put(facts.VAULT, "properties.accessPolicies", [{"objectId": "x"}]),
        "nothing_is_let_in_by_vault_policies",
    ),
    "plans in one subnet": (
        PRIVATE,
        edit(
            facts.SITE,
            "properties.virtualNetworkSubnetId",
            lambda id_: id_.replace("/subnets/work", "/subnets/web"),
        ),
        "plans_do_not_share_a_subnet",
    ),
    "subnet that App Service may not use": (
        PRIVATE,
        edit(
            facts.VNET,
            "properties.subnets",
            lambda all_: [
                {**one, "properties": {**one["properties"], "delegations": []}} for one in all_
            ],
        ),
        "app_subnets_are_delegated",
    ),
    "migrations as the app": (
        PRIVATE,
        setting("release", "DATABASE_OWNER_URL", "postgres://id-atrium-app@x:5432/atrium"),
        "release_acts_as_the_owner",
    ),
    "host that Django refuses": (
        GATEWAY,
        setting("web", "ALLOWED_HOSTS", "localhost"),
        "the_host_name_is_allowed",
    ),
    "network plan without names": (
        PRIVATE,
        setting("web", "NETWORK_PLAN", '{"ranges": ["10.52.0.0/22"], "names": {}}'),
        "the_network_plan_names_every_service",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_exactly_the_rules_for_a_fault_complain(fault: str) -> None:
    found, expected = caught(*FAULTS[fault])

    assert found == expected
