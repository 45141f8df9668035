"""Building the image inside the network, by a task of the registry, or by somebody's own runner.

https://learn.microsoft.com/rest/api/containerregistry/registries/schedule-run: the source is handed
over in a storage account of Azure's, the build runs on an agent pool in our virtual network, which
is the only place that a registry without public access takes an image from.
"""

import os
import shlex
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from portal.infra.arm import Arm, ArmError

TASKS_VERSION = "2019-06-01-preview"
LOOK_SECONDS = 5.0
UPLOAD_SECONDS = 300
LAST_LINES = 20
_ENDED = frozenset({"Succeeded", "Failed", "Canceled", "Error", "Timeout"})

Say = Callable[[str], None]


class BuildError(Exception):
    """There is no new image. The text says why."""


def build_in_network(
    arm: Arm, registry: str, *, tree: Path, name: str, agent_pool: str, say: Say
) -> None:
    """Build `name` (repository:tag) from the last commit of a git tree, and push it.

    `registry` is the registry's path. Returns once it is pushed; raises BuildError.
    """
    source = arm.post(f"{registry}/listBuildSourceUploadUrl", TASKS_VERSION)
    _upload(source["uploadUrl"], _archive(tree))
    request = {
        "type": "DockerBuildRequest",
        "imageNames": [name],
        "isPushEnabled": True,
        "sourceLocation": source["relativePath"],
        "dockerFilePath": "Dockerfile",
        "platform": {"os": "Linux", "architecture": "amd64"},
        "arguments": [{"name": "IMAGE_TAG", "value": name.rpartition(":")[2]}],
        "agentPoolName": agent_pool,
    }
    run = arm.post(f"{registry}/scheduleRun", TASKS_VERSION, request)
    run_id = run["properties"]["runId"]
    say(f"build {run_id} of {name} on agent pool {agent_pool}")
    status = _follow(arm, f"{registry}/runs/{run_id}", say)
    if status != "Succeeded":
        log = _log(arm, f"{registry}/runs/{run_id}")
        raise BuildError(f"Build {run_id} ended as {status}.{log}")


def build_with(command: str, *, image: str) -> None:
    """Have a command of the operator's build and push $IMAGE. Raises BuildError."""
    arguments = shlex.split(command)
    if not arguments:
        raise BuildError("--builder names no command")
    environment = {**os.environ, "IMAGE": image, "IMAGE_TAG": image.rpartition(":")[2]}
    try:
        status = subprocess.run(arguments, env=environment, check=False).returncode  # noqa: S603
    except OSError as error:
        raise BuildError(f"{arguments[0]} does not start: {error.strerror}") from error
    if status:
        raise BuildError(f"{arguments[0]} ended with status {status}")


def _archive(tree: Path) -> bytes:
    """The last commit, as a compressed archive: what is not committed is in no release."""
    command = ["git", "-C", str(tree), "archive", "--format=tar.gz", "HEAD"]
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603
            command, stdout=output, stderr=subprocess.PIPE, check=False, text=True
        )
        if done.returncode:
            raise BuildError(f"{tree} is no git tree to build from: {done.stderr.strip()}")
        output.seek(0)
        return output.read()


def _upload(url: str, archive: bytes) -> None:
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/gzip"}
    request = urllib.request.Request(url, archive, headers, method="PUT")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=UPLOAD_SECONDS):  # noqa: S310
            pass
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise BuildError(f"The source could not be handed over: {reason}") from None


def _follow(arm: Arm, run: str, say: Say) -> str:
    before = ""
    while True:
        status = str(arm.get(run, TASKS_VERSION)["properties"]["status"])
        if status != before:
            say(f"build: {status}")
        if status in _ENDED:
            return status
        before = status
        time.sleep(LOOK_SECONDS)


def _log(arm: Arm, run: str) -> str:
    """The last lines of a build's log, where it can be had."""
    try:
        link = arm.post(f"{run}/listLogSasUrl", TASKS_VERSION)["logLink"]
        with urllib.request.urlopen(link, timeout=UPLOAD_SECONDS) as answer:  # noqa: S310
            lines = answer.read().decode(errors="replace").splitlines()[-LAST_LINES:]
    except (ArmError, OSError, HTTPException, KeyError):
        return " Its log could not be read from here."
    return "\n" + "\n".join(f"  {line}" for line in lines)
