"""Try `check_network` in a private network on this machine, good or with a fault.

    python -m tests.cloud.try_network check_network
    python -m tests.cloud.try_network --fault zone-not-linked check_network --json
    python -m tests.cloud.try_network --list          the faults that there are
    python -m tests.cloud.try_network                 a shell in there, with the environment set

As root on Linux it has real addresses in a network of its own; else it is on loopback, without
public addresses. With `--serve` it reads what to try from standard input, for the tests.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.core.management import ManagementUtility

from portal import azure
from tests.cloud import layouts
from tests.cloud.network_faults import FAULTS, ODDITIES
from tests.cloud.private_network import PrivateNetwork

_INSIDE = "--inside"
KNOWN = FAULTS | ODDITIES


def main(arguments: list[str]) -> int:
    """Go into a namespace where that may be, start everything, and try."""
    if _INSIDE not in arguments and layouts.may_have_namespace():
        command = [sys.executable, "-m", "tests.cloud.try_network", _INSIDE, *arguments]
        return subprocess.run(layouts.in_namespace(command), check=False).returncode
    options = _read(arguments)
    layout = layouts.NAMESPACE if options.inside else layouts.LOOPBACK
    with tempfile.TemporaryDirectory(prefix="atrium-network-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if layout.is_namespace:
            layouts.furnish(folder)
        with PrivateNetwork(layout, folder) as network:
            os.environ.update(network.environment, DJANGO_SETTINGS_MODULE="portal.settings")
            django.setup()
            return _try(network, options)


def _try(network: PrivateNetwork, options: argparse.Namespace) -> int:
    if options.serve:
        return _serve(network)
    if options.list:
        print("\n".join(KNOWN))
        return 0
    if not options.command:
        return _open_shell(network, options.fault)
    answer = _run(network, options.fault, options.command)
    sys.stdout.write(answer["out"])
    sys.stderr.write(answer["err"])
    return int(answer["code"])


def _serve(network: PrivateNetwork) -> int:
    """Each line is a fault and a command; each answer is a line too."""
    for line in sys.stdin:
        asked = json.loads(line)
        answer = _run(network, asked["fault"], asked["command"])
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return 0


def _run(network: PrivateNetwork, fault: str, command: list[str]) -> dict[str, Any]:
    """In a network that was good before."""
    network.reset()
    os.environ.update(network.environment)
    for kept in (azure.credential, azure._keeper):
        kept.cache_clear()
    changed: dict[str, Any] = {}
    if fault:
        chosen = KNOWN[fault]
        chosen.change(network)
        changed = chosen.settings()
    before = {name: getattr(settings, name) for name in changed}
    out, err = io.StringIO(), io.StringIO()
    try:
        _apply(changed)
        with redirect_stdout(out), redirect_stderr(err):
            code = _execute([*command, *network.options])
    finally:
        _apply(before)
    return {"code": code, "out": out.getvalue(), "err": err.getvalue()}


def _apply(values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def _execute(command: list[str]) -> int:
    """As `manage.py` would, and its exit code."""
    try:
        ManagementUtility(["manage.py", *command]).execute()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def _open_shell(network: PrivateNetwork, fault: str) -> int:
    network.reset()
    if fault:
        KNOWN[fault].change(network)
    for name, value in network.environment.items():
        print(f"export {name}='{value}'")
    print(f"\nmanage.py check_network {' '.join(network.options)}\n")
    return subprocess.run([os.environ.get("SHELL", "/bin/sh")], check=False).returncode


def _read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(_INSIDE, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--fault", default="")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
