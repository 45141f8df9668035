"""Where the servers of the tests' private network listen.

As root on Linux, in a network namespace of their own: real addresses, inside and outside, real
ports, and the DNS server of /etc/resolv.conf. Anywhere else, on loopback: other ports, DNS servers
named by options, and no public addresses.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from portal.network.plan import PORTS

AZURE_DNS, CUSTOM_DNS = "168.63.129.16", "10.52.3.4"
_RESOLV, _HOSTS = Path("/etc/resolv.conf"), Path("/etc/hosts")
_NAMESPACE = ["unshare", "--net", "--mount"]


@dataclass(frozen=True)
class Layout:
    """Addresses and ports; `public` is empty where there are no public addresses."""

    private: str
    public: str
    elsewhere: str
    ranges: tuple[str, ...]
    azure_dns: tuple[str, int]
    custom_dns: tuple[str, int]
    ports: dict[str, int] = field(default_factory=dict)

    def address(self, service: str, *, is_public: bool = False) -> str:
        """The address of a service's private endpoint, or its public one."""
        return f"{self.public if is_public else self.private}{list(PORTS).index(service) + 4}"

    @property
    def is_namespace(self) -> bool:
        """Whether this process is alone in its network."""
        return bool(self.public)


LOOPBACK = Layout(
    private="127.52.2.",
    public="",
    elsewhere="127.53.0.4",
    ranges=("127.52.0.0/22",),
    azure_dns=("127.0.0.1", 0),
    custom_dns=("127.0.0.1", 0),
)
NAMESPACE = Layout(
    private="10.52.2.",
    public="20.50.2.",
    elsewhere="10.99.0.4",
    ranges=("10.52.0.0/22",),
    azure_dns=(AZURE_DNS, 53),
    custom_dns=(CUSTOM_DNS, 53),
    ports=PORTS,
)


def may_have_namespace() -> bool:
    """Whether this user, on this machine, may make one."""
    if (
        sys.platform != "linux"
        or os.geteuid() != 0
        or not all(map(shutil.which, ("ip", "unshare")))
    ):
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


def in_namespace(command: Sequence[str]) -> list[str]:
    """The command, to be run in a new one."""
    return [*_NAMESPACE, *command]


def furnish(folder: Path) -> None:
    """In a new namespace: addresses, and files of its own for names; /etc itself stays as it is."""
    addresses = [AZURE_DNS, CUSTOM_DNS, NAMESPACE.elsewhere]
    for service in PORTS:
        addresses += [NAMESPACE.address(service), NAMESPACE.address(service, is_public=True)]
    _run("ip", "link", "set", "lo", "up")
    for address in addresses:
        _run("ip", "address", "add", f"{address}/32", "dev", "lo")
    for path in (_RESOLV, _HOSTS):
        own = folder / path.name
        own.write_text("", encoding="utf-8")
        own.chmod(0o644)
        _run("mount", "--bind", str(own), str(path))
    write_hosts()


def write_resolv(address: str) -> None:
    """Which DNS server this namespace asks."""
    _RESOLV.write_text(f"nameserver {address}\noptions timeout:1 attempts:1\n", encoding="utf-8")


def write_hosts(line: str = "") -> None:
    """What the hosts file says on top."""
    _HOSTS.write_text(f"127.0.0.1 localhost\n{line}\n", encoding="utf-8")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
