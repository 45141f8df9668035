"""The browser for tests and screenshots: a Chromium of this machine.

``python -m portal.embedded.browser`` installs Debian's where that is possible, and says how to get
one where it is not.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
HELP = (
    "No Chromium was found, which the browser tests need. Install one (Debian and Ubuntu:"
    " apt-get install chromium), or set CHROMIUM to the path of a Chromium or Chrome."
)


def find_chromium() -> str:
    """Path of a Chromium or Chrome: ``$CHROMIUM``, or one that is installed; empty if none."""
    given = os.environ.get("CHROMIUM", "")
    if given:
        return shutil.which(given) or ""
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path), str(MAC) if MAC.exists() else "")


def main() -> int:
    """Make sure that there is one; 1 where a CI run has none."""
    if not find_chromium() and os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write("Installing Debian's chromium for the browser tests ...\n")
        sys.stdout.flush()
        _install()
    if find_chromium():
        return 0
    sys.stderr.write(f"{HELP}\n")
    return 1 if os.environ.get("CI") == "true" else 0


def _install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update", "--quiet"], install):
        subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False)


if __name__ == "__main__":
    sys.exit(main())
