"""What a failure usually means, and what to do about it: for somebody who was woken by it.

One entry for each code of portal.network.findings.Problem.
"""

from portal.network.causes import connections, names, outside, rights
from portal.network.causes.cause import Cause

__all__ = ["CAUSES", "EVERYWHERE", "Cause"]

CAUSES: dict[str, Cause] = {
    **names.CAUSES,
    **connections.CAUSES,
    **rights.CAUSES,
    **outside.CAUSES,
}

# What else it means when every service shows the same.
EVERYWHERE: dict[str, str] = {
    "zone-not-linked": (
        "All of them: most likely this app or machine is outside the virtual network. VNet"
        " integration missing, or all traffic not routed into it?"
    ),
    "zone-or-dns": (
        "All of them: most likely this app or machine is outside the virtual network. VNet"
        " integration missing, or all traffic not routed into it?"
    ),
    "wrong-dns": ("All of them: the one DNS server is what to repair."),
    "dns-silent": ("All of them: the one DNS server is what to repair."),
    "tcp-silent": (
        "All of them: most likely VNet integration, all traffic not routed into the network, or"
        " the network security group of this subnet."
    ),
    "no-identity": ("All of them: no service is to blame; the identity is missing here."),
    "certificate-foreign": ("All of them: one proxy in between, or this machine has no roots."),
}
