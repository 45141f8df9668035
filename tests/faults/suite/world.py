"""Opens what the suite needs: the model provider and the portal."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.faults.suite import imitations
from tests.faults.suite.cases import SHAKY, STEADY, Playbook
from tests.faults.suite.crowd import World
from tests.faults.suite.portal import running
from tests.upstream import Upstream


@contextmanager
def opened(folder: Path, *, imitated: bool) -> Iterator[World]:
    """Everything started, nobody signed in yet; all of it stopped at the end."""
    playbook = Playbook()
    with ExitStack() as exits:
        upstream = exits.enter_context(Upstream(scripts=playbook))
        own = {"kind": "openai", "endpoint": upstream.base_url}
        deployments = {name: own | {"model": name} for name in (SHAKY, STEADY)}
        others = exits.enter_context(imitations.running(folder)) if imitated else None
        deployments |= others.deployments if others else {}
        breaking = exits.enter_context(ThreadPoolExecutor(1))
        portal = exits.enter_context(running(folder, deployments))
        yield World(portal, upstream, playbook, others, breaking)
