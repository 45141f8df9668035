"""After a task or command no connection has a scope: each is run, and the pool looked at."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import current_app
from django.conf import settings

from chat.models import Deployment, Generation
from portal.embedded.processes import Child, Program
from tests.faults.jobs import ARGUMENTS, COMMANDS, jobs
from tests.faults.probe import probe
from tests.stack import wait_until
from tests.tenants.both import Both, found_both
from tests.upstream import Upstream

pytestmark = pytest.mark.django_db(transaction=True)

ENVIRONMENT = {"DATABASE_POOL_SIZE": "2", "DATABASE_OWNER_URL": "", "DATABASE_POOL_TIMEOUT": "30"}


@pytest.fixture
def both(upstream: Upstream) -> Both:
    """Acme and Globex with something to do for a worker: an answer of each waits."""
    both = found_both()
    Deployment.objects.update(kind="openai", endpoint=upstream.base_url)
    for ended in Generation.objects.all():
        Generation.objects.create(
            tenant_id=ended.tenant_id, conversation_id=ended.conversation_id,
            user_id=ended.user_id, deployment_id=ended.deployment_id, prompt_id=ended.prompt_id,
            request_id=uuid.uuid4(),
        )  # fmt: skip
    return both


def test_every_command_of_ours_is_tried() -> None:
    files = Path(settings.BASE_DIR).glob("*/management/commands/*.py")

    assert {path.stem for path in files if path.stem != "__init__"} == {*COMMANDS}


def test_after_every_task_and_command_no_connection_has_a_scope(
    both: Both, upstream: Upstream, tmp_path: Path
) -> None:
    environment = ENVIRONMENT | {
        "PYTHONPATH": str(settings.BASE_DIR), "OPENAI_BASE_URL": upstream.base_url
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.scopes_left"], cwd=tmp_path,
        env=os.environ | environment, capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout.splitlines()[-1])
    assert {name: wrong for name, wrong in results.items() if wrong} == {}
    assert results.keys() == jobs().keys()
    assert {*Generation.objects.values_list("status", flat=True)} == {"completed"}
    # Without its scope a run would have found no words to ask with.
    asked = [request.messages for request in upstream.requests if request.is_chat]
    words = sorted(messages[-1]["content"] for messages in asked)
    assert words == ["Acme", "Globex"]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[None]:
    """A worker of its own, with two connections and the queue `probe`."""
    command = [sys.executable, "-m", "celery", "-A", "portal", "worker", "--pool=gevent"]
    command += ["--concurrency=10", "--queues=probe", "--include=tests.faults.probe"]
    log = tmp_path / "worker.log"
    child = Child(Program("worker", command, log, environment=os.environ | ENVIRONMENT))
    child.start()
    try:
        yield
    finally:
        child.stop()


def test_after_every_task_on_a_worker_no_connection_has_a_scope(
    both: Both, worker: None, tmp_path: Path
) -> None:
    notes = tmp_path / "notes"
    tasks = [task for name, task in current_app.tasks.items() if name.startswith("chat.")]
    for _ in range(5):
        for task in tasks:
            task.apply_async(ARGUMENTS.get(task.name, ()), queue="probe")
            probe.apply_async(args=(str(notes),), queue="probe")
    wait_until(lambda: not Generation.objects.live().exists(), what="the end of all answers")
    probe.apply_async(args=(str(notes),), queue="probe")

    wanted = 5 * len(tasks) + 1
    wait_until(lambda: _lines(notes) == ["[]"] * wanted, what=f"{wanted} times [] in {notes}")


def _lines(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []
