"""What it usually means when a service is not refused from outside."""

from portal.network.causes.cause import TEMPLATES, Cause, cause

CAUSES: dict[str, Cause] = {
    "is-public": cause(
        "The service takes connections from the Internet: its public access is on, or a firewall"
        " rule lets this machine in.",
        "Switch it off: publicNetworkAccess=Disabled of the resource, and no firewall rules.",
        TEMPLATES,
    ),
    "not-outside": cause(
        "This machine is not outside: DNS gives it the private address (a VPN, a peered network,"
        " or a record in public DNS).",
        "Run --outside from a machine without VPN, with a public DNS server: --dns-server.",
    ),
    "unproven": cause(
        "The service answers, and asks who is there before it looks where the request comes"
        " from, so nothing is proven without a token.",
        "Sign in (az login) as anybody of the directory, and run it again.",
    ),
    "site-stopped": cause(
        "The app is stopped, so it says nothing about its network.",
        "Start it, and run this again.",
    ),
}
