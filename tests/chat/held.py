"""An answer that the model holds back in the middle, until the test lets it go on."""

from collections.abc import Iterator

import pytest

from chat.models import Deployment, Generation
from tenants.models import Membership
from tests.chat.answers import ask, wait_for_text
from tests.stack import Stack
from tests.upstream import Gate, Reply, Upstream

SENTENCE = "One two three four five six seven eight"
THREE_WORDS = "One two three"


@pytest.fixture
def gate(upstream: Upstream) -> Iterator[Gate]:
    """Holds every answer after three words."""
    gate = Gate()
    upstream.always(Reply(SENTENCE, gate=gate, gate_at=3))
    yield gate
    gate.open()


@pytest.fixture
def half(stack: Stack, member: Membership, deployment: Deployment, gate: Gate) -> Generation:
    """An answer that has shown three words."""
    generation = ask(member)
    wait_for_text(generation, THREE_WORDS)
    return generation
