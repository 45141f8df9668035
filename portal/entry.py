"""How the portal's processes are started, here and in the image: `python -m portal.entry web`.

web, worker, beat and release are the image's commands; anything else is a command of manage.py.
What follows the name is handed on: `web --port 9000`. The program takes the place of this process,
so that it gets the SIGTERM of whoever ends the container.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104  # a container is reached from outside
PORT = 8000
# What is being sent when web is told to stop is sent to its end, for so long at most.
WEB_LEAVE_SECONDS = 30
MANAGE = Path(__file__).resolve().parent.parent / "manage.py"


def web(*, host: str, port: int) -> list[str]:
    """The web server. When it stops, its event streams end at once; other responses get a while."""
    arguments = ["portal.asgi:application", "--host", host, "--port", str(port)]
    # Forwarded headers are portal/gateway.py's to judge, not uvicorn's.
    arguments += ["--no-proxy-headers", "--no-access-log", "--no-server-header"]
    # Browsers and gateways keep their connection while somebody reads an answer.
    arguments += ["--timeout-keep-alive", "75"]
    arguments += ["--timeout-graceful-shutdown", str(WEB_LEAVE_SECONDS)]
    return ["-m", "uvicorn", *arguments]


def worker() -> list[str]:
    """The worker that calls the model; portal/celery.py says how much it does at once."""
    arguments = ["-A", "portal", "worker", "--pool", "gevent", "--queues", "chat,default"]
    arguments += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return ["-m", "celery", *arguments]


def beat() -> list[str]:
    """The clock for repeated tasks: one, whatever there are of the others."""
    return ["-m", "celery", "-A", "portal", "beat", "--pidfile", ""]


def release() -> list[str]:
    """What a release needs done once, as the owner of the tables; then says so on PROBE_PORT."""
    return [str(MANAGE), "bootstrap", "--serve"]


def arguments_for(command: Sequence[str]) -> list[str]:
    """What Python is called with for this command of the image."""
    commands = {
        "web": web(host=ALL_ADDRESSES, port=PORT),
        "worker": worker(),
        "beat": beat(),
        "release": release(),
    }
    name, *rest = command or ["help"]
    return [*commands.get(name, [str(MANAGE), name]), *rest]


if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, *arguments_for(sys.argv[1:])])  # noqa: S606
