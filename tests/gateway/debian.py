"""nginx, ModSecurity and the OWASP core rule set for the gateway's tests: Debian's packages.

``python -m tests.gateway.debian`` installs them where that is possible, and says how to get them
where it is not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("nginx-light", "libnginx-mod-http-modsecurity", "modsecurity-crs")
MODULE = Path("/usr/lib/nginx/modules/ngx_http_modsecurity_module.so")
CORE_RULES = Path("/usr/share/modsecurity-crs/rules")
# Where Debian keeps programs that ordinary users seldom start.
PROGRAMS = f"{os.environ.get('PATH', '')}:/usr/sbin"
HELP = (
    "The gateway's tests need nginx with ModSecurity and the OWASP core rule set. On Debian and"
    f" Ubuntu: apt-get install {' '.join(PACKAGES)}"
)


def find_nginx() -> str:
    """Path of nginx; empty if there is none."""
    return shutil.which("nginx", path=PROGRAMS) or ""


def missing() -> list[str]:
    """The packages whose files are not there."""
    found = (bool(find_nginx()), MODULE.exists(), CORE_RULES.is_dir())
    return [name for name, is_there in zip(PACKAGES, found, strict=True) if not is_there]


def skip_without_packages() -> None:
    """Leave out the test that asks, with the reason; in CI it fails instead."""
    names = missing()
    if names and os.environ.get("CI") == "true":
        pytest.fail(f"missing: {', '.join(names)}. {HELP}")
    if names:
        pytest.skip(f"missing: {', '.join(names)}. {HELP}")


def main() -> int:
    """Make sure that they are there; 1 where a CI run has them not."""
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing Debian's {', '.join(PACKAGES)} for the gateway's tests ...", flush=True)
        _install()
    if not missing():
        return 0
    sys.stderr.write(f"{HELP}\n")
    return 1 if os.environ.get("CI") == "true" else 0


def _install() -> None:
    # A run level in which the package does not start an nginx of the machine's own.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]
    for command in (["apt-get", "update", "--quiet"], install):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
