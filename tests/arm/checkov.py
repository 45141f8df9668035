"""checkov over the templates as they are written, and over every main scenario as evaluated.

    python -m tests.arm.checkov

checkov brings a hundred packages, so it has a virtual environment of its own, which `make
check-arm` makes; evaluated scenarios have values where templates have expressions, so it sees more
of them. It knows neither PostgreSQL flexible servers nor Azure Managed Redis: those are held
against the rules in tests/arm/rules alone.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.arm import flat
from tests.arm.evaluate import FOLDER
from tests.arm.scenarios import MAIN

PROGRAM = str(Path(__file__).parents[2] / "var" / "checkov" / "bin" / "checkov")
CONFIGURATION = FOLDER / ".checkov.yaml"


def check(folder: Path) -> int:
    """Run checkov over a folder; its exit code is 0 when nothing failed."""
    # The program asks the network for nothing then, neither for policies nor for a newer version.
    environment = {**os.environ, "LOG_LEVEL": "ERROR"}
    command = [PROGRAM, "--config-file", str(CONFIGURATION), "--directory", str(folder)]
    return subprocess.run(command, env=environment, check=False).returncode


def main() -> int:
    """Check both; 0 when nothing failed in either."""
    with tempfile.TemporaryDirectory() as name:
        flat.write(Path(name), MAIN)
        return max(check(FOLDER), check(Path(name)))


if __name__ == "__main__":
    sys.exit(main())
