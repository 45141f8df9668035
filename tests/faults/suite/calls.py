"""What the providers say that they were asked and what they answered, by message."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tests.faults.suite.cases import number_of
from tests.upstream import Request, Usage


@dataclass(frozen=True)
class Call:
    """One call of the model as its provider saw it."""

    sent_text: str  # of an imitation all that it would have sent
    reported: Usage | None  # the token counts that it sent
    is_answered: bool  # with text, to the end of what it had to say
    counts: bool = True  # False: this provider keeps no record of tokens


def of_upstream(requests: Iterable[Request]) -> Mapping[int, list[Call]]:
    """Those of our own server."""
    calls: dict[int, list[Call]] = defaultdict(list)
    for request in requests:
        is_answered = request.output_tokens > 0 and not request.closed_early
        call = Call(request.sent_text, request.reported, is_answered)
        calls[number_of(request.prompt)].append(call)
    return calls
