"""What failures of DNS and wrong addresses usually mean."""

from portal.network.causes.cause import TEMPLATES, Cause, cause

CAUSES: dict[str, Cause] = {
    "dns-silent": cause(
        "The DNS server is down, or port 53 (UDP and TCP) to it is closed.",
        "On custom DNS: is the server up, peered and allowed by the network security groups?",
        "Look at dnsServers of the virtual network; empty means Azure's own, 168.63.129.16.",
    ),
    "dns-broken": cause(
        "The DNS server cannot reach the server that it forwards to.",
        "Let it forward the public zone (openai.azure.com, ...) to 168.63.129.16, from inside a"
        " virtual network that the private zone is linked to.",
        "From outside Azure it must forward to the inbound endpoint of a DNS private resolver.",
    ),
    "name-unknown": cause(
        "Nobody knows the name: the resource is gone, has another name, or DNS is cut off.",
        "Compare the name with the outputs of the deployment: manage.py infra outputs.",
        "A resource that was deleted and made anew may have got another name.",
    ),
    "record-missing": cause(
        "The private zone is linked here, but has no record of this resource: its private"
        " endpoint has no DNS zone group, or Azure Policy has not written the record yet.",
        "Look at the DNS configuration of the private endpoint, and at the records of the zone.",
        "With writeDnsZoneGroups=false a policy writes them: look at its remediation tasks.",
        "Is another, empty zone of the same name linked to this virtual network?",
    ),
    "zone-not-linked": cause(
        "Azure's DNS answers, but its private zone is not linked to this virtual network, so the"
        " public address comes back.",
        "Link the privatelink zone to the virtual network that holds the DNS server in use (with"
        " a hub: to the hub's).",
        TEMPLATES,
    ),
    "wrong-dns": cause(
        "The DNS server in use is not Azure's and does not forward to it: 168.63.129.16, asked"
        " directly, knows the private address.",
        "Let the custom DNS server forward the zone to 168.63.129.16 (or to the inbound endpoint"
        " of the DNS private resolver), or take it out of the virtual network's dnsServers.",
        "Restart the apps afterwards: they read the DNS servers when they start.",
    ),
    "zone-or-dns": cause(
        "Either the private zone is not linked to this virtual network, or the DNS server in use"
        " does not forward to Azure's (168.63.129.16 cannot be asked from here to tell which).",
        "Look at the links of the privatelink zone.",
        "Look at dnsServers of the virtual network, and where they forward to.",
    ),
    "no-vnet-integration": cause(
        "This app is not integrated with the virtual network (App Service gave it no address"
        " there), so it asks public DNS. Its own private endpoint is for incoming traffic only.",
        "Set virtualNetworkSubnetId, and outboundVnetRouting.allTraffic=true, of the app.",
        TEMPLATES,
    ),
    "no-private-endpoint": cause(
        "The public name has no alias in a privatelink zone: the resource has no approved"
        " private endpoint.",
        "Look at the private endpoint connections of the resource: one must be Approved.",
        TEMPLATES,
    ),
    "address-elsewhere": cause(
        "The record leads into another network: that of another environment whose zone is linked"
        " here, or a private endpoint that was replaced.",
        "Compare the record with the address of the private endpoint's network interface.",
        "If the network was meant to grow, bring NETWORK_PLAN up to date: infra deploy.",
    ),
    "address-loopback": cause(
        "The name leads to this machine itself, which no private endpoint does.",
        "Look at the record in the zone, and for a DNS filter that answers 127.0.0.1.",
    ),
    "hosts-differ": cause(
        "Something on this machine answers before DNS does, most likely /etc/hosts.",
        "Remove the line from /etc/hosts; the portal goes where that file sends it.",
    ),
}
