"""What `check_network` would look at, without looking."""

from portal.network.access import access_to
from portal.network.calls import HEALTH_PATH, MODELS_PATH, REPOSITORY
from portal.network.inside import Means

_CALLS = {
    "openai": f"GET {MODELS_PATH}",
    "postgres": "sign in, SELECT 1, and see that row-level security binds the portal's role",
    "redis": "AUTH and PING",
    "keyvault": "list the versions of secret-key, without their values",
    "registry": f"exchange tokens, and ask for a manifest of {REPOSITORY}",
    "web": f"GET {HEALTH_PATH}",
}
_OUTSIDE = "a connection, or HTTP, must be refused"


def describe(means: Means, *, is_outside: bool) -> str:
    """One paragraph for each service."""
    servers = ", ".join(str(server) for server in means.resolver.servers)
    ranges = ", ".join(str(network) for network in means.plan.ranges)
    where = "outside" if is_outside else f"inside {ranges}"
    lines = [f"Would look from {where}, asking the DNS servers {servers}:"]
    for target in means.plan.targets:
        access = access_to(target.service)
        password = "a password or key of the settings" if access.password else ""
        token = access.reason or password or access.scope or "none is needed"
        lines += [
            "",
            f"  {target.service}",
            f"    name   {target.host}, port {target.port}, with TLS",
            f"    token  {token}",
            f"    call   {_OUTSIDE if is_outside else _CALLS[target.service]}",
        ]
    return "\n".join(lines)
