"""A real HTTP server that speaks the OpenAI Chat Completions protocol, for tests and the benchmark.

with Upstream() as upstream:
    upstream.says("Hello")                                   # every request, until told otherwise
    upstream.next(Reply("Bye", tokens_per_second=20))        # the next request only
    upstream.when("weather", refusals.rate_limited(12))      # by the user's last message
    ...
    assert upstream.requests[0].prompt == "Hi"
"""

from tests.upstream import refusals
from tests.upstream.log import Request
from tests.upstream.script import Fault, Gate, Refusal, Reply, Silence, Usage
from tests.upstream.thread import Upstream

__all__ = [
    "Fault",
    "Gate",
    "Refusal",
    "Reply",
    "Request",
    "Silence",
    "Upstream",
    "Usage",
    "refusals",
]
