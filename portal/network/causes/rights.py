"""What failures of signing in, and of what comes after it, usually mean."""

from portal.network.causes.cause import Cause, cause

CAUSES: dict[str, Cause] = {
    "no-identity": cause(
        "No managed identity answers here: none is assigned to the app, AZURE_CLIENT_ID names"
        " another, or this is a machine without one.",
        "The app's identity is id-<name>-app; AZURE_CLIENT_ID is its *client* id.",
        "An identity that was assigned just now needs a restart of the app.",
        "Elsewhere than in an app: az login, or AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential.",
    ),
    "token-denied": cause(
        "There should be an identity, but no token came: its endpoint is not reached, or Entra"
        " refuses this service.",
        "Is the scope right (AZURE_OPENAI_SCOPE), and is the service known in this directory?",
        "Outside App Service the network security group must allow the tag AzureActiveDirectory"
        " on 443.",
    ),
    "token-refused": cause(
        "The service knows the identity not, or does not take its token: another directory,"
        " another identity, or local settings of the service.",
        "Compare AZURE_CLIENT_ID, and the user in DATABASE_URL and REDIS_URL (Redis: the"
        " *object* id), with the outputs of the deployment.",
        "PostgreSQL: manage.py bootstrap makes the role; Redis: an access policy assignment.",
    ),
    "role-missing": cause(
        "The identity is known, but may not do this: its role is missing, or was assigned less"
        " than some minutes ago.",
        "Roles of id-<name>-app: Cognitive Services OpenAI User, Key Vault Secrets User,"
        " AcrPull, each on the resource itself; Redis: access policy `default`.",
        "Wait ten minutes after an assignment, then restart the app: tokens are kept.",
    ),
    "seen-as-public": cause(
        "The service sees the request come from outside: it took the public way, not the private"
        " endpoint.",
        "If the address above is public, repair DNS first.",
        "Otherwise look whether the private endpoint connection is Approved.",
    ),
    "database-role": cause(
        "PostgreSQL does not know the role, the role may not enter the database, or the database"
        " is not there.",
        "manage.py bootstrap (the release app) makes roles, rights and database; see its log.",
    ),
    "database-trust": cause(
        "libpq does not find the certificates of this machine: it brings its own OpenSSL, which"
        " looks elsewhere.",
        "Set SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt for the process.",
    ),
    "database-unverified": cause(
        "DATABASE_URL does not ask for a checked certificate, so anybody in between could answer.",
        "Add ?sslmode=verify-full&sslrootcert=system to DATABASE_URL.",
    ),
    "row-security": cause(
        "The role of the portal could pass row-level security: tenants would not be kept apart.",
        "manage.py bootstrap repairs roles and rights.",
        "See docs/security.md.",
    ),
    "secret-missing": cause(
        "The vault is there, but the secret `secret-key` is not, or is disabled.",
        "manage.py infra deploy writes it when the vault has none.",
    ),
    "settings-differ": cause(
        "The portal's settings name another server than the plan, so what was checked is not"
        " what it uses.",
        "Compare the app's settings with the outputs of the deployment.",
        "On a jump box, set the same variables as the app has.",
    ),
}
