"""Who may what: every identity has the roles that it uses, and no other."""

from urllib.parse import urlsplit

from tests.arm.evaluate import Evaluated, Resource
from tests.arm.ids import name_of, type_of
from tests.arm.references import properties_of
from tests.arm.rules.facts import (
    GATEWAY,
    IDENTITY,
    OPENAI,
    POSTGRES,
    REDIS_ACCESS,
    REGISTRY,
    ROLE,
    SITE,
    VAULT,
    dig,
    role_of,
)

# Microsoft, "Azure built-in roles".
ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
OPENAI_USER = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"
POSTGRES_ADMIN = f"{POSTGRES}/administrators"

# What each identity uses: role, and the type of resource that it is given on.
USED = {
    "app": {(ACR_PULL, REGISTRY), (SECRETS_USER, VAULT), (OPENAI_USER, OPENAI)},
    "release": {(ACR_PULL, REGISTRY), (SECRETS_USER, VAULT)},
    "gateway": {(SECRETS_USER, VAULT)},
}
# Log in with Entra to the jump box; given to the people that its parameter names.
PEOPLE = {"1c0163c0-47e6-4577-8991-ea5c82e286e4", "fb879df8-f326-4884-b1cf-06f3ad86be52"}


def principals(e: Evaluated) -> dict[str, str]:
    """The identities that are made: object id to the last word of the name."""
    return {
        properties_of(one.id, one.body, e.place)["principalId"]: role_of(one)
        for one in e.of(IDENTITY)
    }


def scope_of(assignment: Resource) -> str:
    """The id of what a role is given on."""
    return assignment.id.rpartition("/providers/")[0]


def every_identity_has_exactly_the_roles_it_uses(e: Evaluated) -> list[str]:
    """Neither more roles nor fewer, each on one resource and never on a whole group."""
    given: dict[str, list[tuple[str, str]]] = {name: [] for name in principals(e).values()}
    found = []
    for one in e.of(ROLE):
        who = principals(e).get(one.properties["principalId"])
        role = name_of(one.properties["roleDefinitionId"])
        if who:
            given[who].append((role, type_of(scope_of(one))))
        elif role not in PEOPLE:
            found.append(f"{one.properties['principalId']} gets the role {role}")
    return found + [
        f"{who} has the roles {sorted(roles)}, not {sorted(USED[who])}"
        for who, roles in given.items()
        if sorted(roles) != sorted(USED[who])
    ]


def the_gateway_reads_one_vault_alone(e: Evaluated) -> list[str]:
    """The vault that it has its role on is the one that its certificate is in."""
    held = {
        name_of(scope_of(one)).lower()
        for one in e.of(ROLE)
        if principals(e).get(one.properties["principalId"]) == "gateway"
    }
    used = {
        (urlsplit(entry["properties"].get("keyVaultSecretId", "")).hostname or "").partition(".")[0]
        for gateway in e.of(GATEWAY)
        for entry in gateway.properties.get("sslCertificates", [])
    }
    return (
        [f"the gateway may read {held} and uses {used}"] if e.of(GATEWAY) and held != used else []
    )


def roles_are_given_to_identities_as_such(e: Evaluated) -> list[str]:
    """`principalType` is said, or a new identity is looked for before the directory knows it."""
    return [
        f"{one.id}: principalType is {one.properties.get('principalType')}"
        for one in e.of(ROLE)
        if one.properties.get("principalType") not in {"ServicePrincipal", "User", "Group"}
        or (
            one.properties["principalId"] in principals(e)
            and one.properties["principalType"] != "ServicePrincipal"
        )
    ]


def redis_lets_in_the_app_alone(e: Evaluated) -> list[str]:
    """One access policy assignment: the app's identity, with the default policy."""
    given = [
        (dig(one.body, "properties.user.objectId"), one.properties.get("accessPolicyName"))
        for one in e.of(REDIS_ACCESS)
    ]
    app = [id_ for id_, name in principals(e).items() if name == "app"]
    return [] if given == [(id_, "default") for id_ in app] else [f"Redis lets in {given}"]


def postgres_is_run_by_release_alone(e: Evaluated) -> list[str]:
    """Of our identities only release administers the server; people are added by parameter."""
    ours = {
        principals(e).get(one.name.rpartition("/")[2], "")
        for one in e.of(POSTGRES_ADMIN)
        if one.properties.get("principalType") == "ServicePrincipal"
    } - {""}
    return [] if ours == {"release"} else [f"PostgreSQL is administered by {sorted(ours)}"]


def every_part_runs_as_its_own_identity(e: Evaluated) -> list[str]:
    """Web, worker and beat are the app, release is itself, the gateway is itself."""
    found = []
    for one in e.of(SITE, GATEWAY):
        wanted = {"release": "release"}.get(role_of(one), "app")
        wanted = "gateway" if one.type == GATEWAY else wanted
        identity = one.body.get("identity") or {}
        names = {role_of_id(id_) for id_ in identity.get("userAssignedIdentities", {})}
        if identity.get("type") != "UserAssigned" or names != {wanted}:
            found.append(f"{one.type} {one.name} runs as {identity.get('type')} {sorted(names)}")
    return found


def role_of_id(id_: str) -> str:
    """The last word of an identity's name."""
    return name_of(id_).rpartition("-")[2]


def nothing_is_let_in_by_vault_policies(e: Evaluated) -> list[str]:
    """The vault knows roles only."""
    return [
        f"{one.name} has access policies"
        for one in e.of(VAULT)
        if one.properties.get("accessPolicies")
    ] + [f"{one.name} is an access policy" for one in e.of(f"{VAULT}/accessPolicies")]


RULES = (
    every_identity_has_exactly_the_roles_it_uses,
    the_gateway_reads_one_vault_alone,
    roles_are_given_to_identities_as_such,
    redis_lets_in_the_app_alone,
    postgres_is_run_by_release_alone,
    every_part_runs_as_its_own_identity,
    nothing_is_let_in_by_vault_policies,
)
