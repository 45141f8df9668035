"""What failures of TCP, TLS and answers usually mean."""

from portal.network.causes.cause import Cause, cause

CAUSES: dict[str, Cause] = {
    "tcp-silent": cause(
        "Packets are dropped on the way: a network security group, a route through a firewall, a"
        " missing VNet integration, or a private endpoint that is not approved.",
        "Network security groups: the apps' subnets may reach the endpoints' subnet on 443, 5432"
        " (PostgreSQL) and 10000 (Redis), and the endpoints' subnet lets them in.",
        "The app: virtualNetworkSubnetId is set, and outboundVnetRouting.allTraffic is true.",
        "The private endpoint connection of the resource is Approved.",
        "Route tables: no 0.0.0.0/0 or /32 route takes this traffic elsewhere.",
    ),
    "tcp-refused": cause(
        "Somebody is there, but nothing listens on this port: a wrong port, or a service that is"
        " stopped.",
        "Azure Managed Redis listens on 10000, PostgreSQL on 5432 (6432 is its pooler).",
        "Is the service running? A PostgreSQL server of the dev tier may have been stopped.",
    ),
    "tcp-unreachable": cause(
        "There is no route from here to that network.",
        "Virtual networks must be peered in both directions; look at the route tables.",
    ),
    "tls-plain": cause(
        "What answers speaks no TLS: not the service, or a service with TLS switched off.",
        "Look whether the address belongs to the private endpoint of the resource.",
        "Redis: clientProtocol must be Encrypted. PostgreSQL: require_secure_transport=ON.",
    ),
    "tls-cut": cause(
        "The connection opens and is cut before TLS is up: a firewall that inspects, or a"
        " service that refuses this client.",
        "Exempt the endpoints' subnet from TLS inspection.",
        "Look whether a firewall on the way allows this host name (SNI).",
    ),
    "tls-silent": cause(
        "The connection opens, then nothing comes: a firewall that swallows, or a service that"
        " hangs.",
        "Look at the health of the resource in the portal of Azure, and try again.",
        "Packets that are too large and get lost look like this: tunnels and VPNs on the way.",
    ),
    "certificate-foreign": cause(
        "The certificate is not from an authority that this machine trusts: a proxy or firewall"
        " sits in between and reads along.",
        "Exempt the endpoints' subnet from TLS inspection; the issuer above says whose it is.",
        "If every certificate fails, the roots of this machine are missing: ca-certificates.",
    ),
    "certificate-name": cause(
        "The certificate is for another name: the record leads to another service.",
        "Compare the record with the address of the private endpoint's network interface.",
    ),
    "certificate-expired": cause(
        "The certificate has expired, or the clock of this machine is wrong.",
        "Compare `date -u` with the right time. Azure renews its certificates by itself.",
    ),
    "certificate-bad": cause(
        "The certificate does not hold.",
        "Look at it: openssl s_client -connect ADDRESS:PORT -servername NAME",
    ),
    "app-down": cause(
        "The way is open, but the web app does not answer well: it starts, fails, or is stopped.",
        "Look at its log stream, and at the release app: nothing starts before it is done.",
    ),
    "throttled": cause(
        "The service answers that there are too many requests; the way is open.",
        "Try again in a minute.",
    ),
    "service-fails": cause(
        "The service itself has trouble; the way is open.",
        "Look at the health of the resource in the portal of Azure, and try again.",
    ),
    "unexpected-answer": cause(
        "Something answers that is not this service, or a version of it that is not known here.",
        "Look whether the address belongs to the private endpoint of the resource.",
    ),
    "cut-off": cause(
        "The connection was open and was lost while it was used.",
        "Try again; if it stays, look at firewalls on the way.",
    ),
    "too-slow": cause(
        "Every step waits its time and the sum was too much, or one of them hangs.",
        "Try again with --only and a longer --timeout.",
    ),
    "broken-check": cause(
        "This check itself has failed.",
        "That is a fault of the portal: keep the lines above and report them.",
    ),
}
