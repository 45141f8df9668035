"""The report of `check_stream`: a table for people, and the same as JSON."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from portal.streamcheck.judging import Check, State
from portal.streamcheck.replay import Failure, Replayed
from portal.streamcheck.streams import StreamResult

_MARKS = {State.OK: "ok", State.FAILED: "FAILED", State.NOTED: "note"}
_MOST_EXAMPLES = 5


@dataclass
class Report:
    """What was measured; a part that was not asked for is None."""

    url: str
    stream: StreamResult | None = None
    answer: StreamResult | None = None
    prompts: Replayed | None = None
    attacks: Replayed | None = None
    ways: int = field(default=4)

    @property
    def is_good(self) -> bool:
        """Whether nothing is to be changed."""
        results = [result for result in (self.stream, self.answer) if result]
        checks = [check for result in results for check in result.checks]
        replayed = [one for one in (self.prompts, self.attacks) if one]
        failed = any(check.state is State.FAILED for check in checks)
        return not failed and not any(one.failures for one in replayed)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "url": self.url,
            "ok": self.is_good,
            "stream": self.stream and asdict(self.stream),
            "answer": self.answer and asdict(self.answer),
            "prompts": self.prompts and _replayed_json(self.prompts),
            "attacks": self.attacks and _replayed_json(self.attacks),
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        for title, result in {"Stream": self.stream, "One real answer": self.answer}.items():
            if result:
                yield from ("", title, *_check_lines(result.checks))
        if self.prompts:
            yield from ("", "Prompts that must be let through", *_replayed_lines(self.prompts))
        if self.attacks:
            yield from ("", "Attacks that must be stopped", *_replayed_lines(self.attacks))
        yield ""
        yield "Everything is as it should be." if self.is_good else "Something is to be changed."


def _check_lines(checks: list[Check]) -> Iterator[str]:
    told: set[str] = set()
    for check in checks:
        yield f"  {_MARKS[check.state]:<7} {check.name:<16} {check.value}"
        if check.hint and check.hint not in told:
            yield f"          → {check.hint}"
            told.add(check.hint)


def _replayed_lines(done: Replayed) -> Iterator[str]:
    for category, (texts, good) in sorted(done.counts.items()):
        mark = _MARKS[State.OK if good == texts else State.FAILED]
        yield f"  {mark:<7} {category:<16} {good} of {texts}"
    texts = sum(one for one, _ in done.counts.values())
    yield f"          {'all':<16} {sum(good for _, good in done.counts.values())} of {texts}"
    yield from _causes(done.failures)
    if done.tolerated:
        names = ", ".join(failure.id for failure in done.tolerated)
        yield f"  note    reached the portal, as some rule sets allow: {names}"


def _causes(failures: list[Failure]) -> Iterator[str]:
    """Each cause once, with some examples of it."""
    by_cause: dict[str, list[Failure]] = {}
    for failure in failures:
        by_cause.setdefault(failure.cause, []).append(failure)
    for cause, those in by_cause.items():
        yield f"          → {cause}"
        examples = {failure.id: failure for failure in reversed(those)}
        for failure in list(reversed(examples.values()))[:_MOST_EXAMPLES]:
            yield f"            {failure.id} ({failure.status}, {failure.way}): {failure.sample}"
        if len(examples) > _MOST_EXAMPLES:
            yield f"            and {len(examples) - _MOST_EXAMPLES} more"


def _replayed_json(done: Replayed) -> dict[str, Any]:
    counts = {name: {"texts": texts, "good": good} for name, (texts, good) in done.counts.items()}
    return {**asdict(done), "counts": counts}
