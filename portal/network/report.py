"""What was found, for people and for machines."""

import json
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any

from portal.network.causes import CAUSES, EVERYWHERE, Cause
from portal.network.findings import STEPS, Findings, Outcome, Step
from portal.network.inside import Means

_WIDTH = 96
_MARKS = {Outcome.OK: "ok", Outcome.FAILED: "FAIL", Outcome.SKIPPED: "-"}
_MANY = 3


class Verdict(StrEnum):
    """What is said of a service."""

    PRIVATE = "private"  # from inside: private, and it works
    REFUSED = "refused"  # from outside: as it should be
    PUBLIC = "PUBLIC"
    FAILED = "FAILED"


_GOOD = frozenset({Verdict.PRIVATE, Verdict.REFUSED})


def verdict(findings: Findings, *, is_outside: bool) -> Verdict:
    """The verdict on one service.

    Public is what answers from outside, and what serves us from inside over a public address.
    """
    failures = findings.failures
    if not failures:
        return Verdict.REFUSED if is_outside else Verdict.PRIVATE
    call = findings.outcome("call")
    is_served = call is not None and call.outcome == Outcome.OK
    is_public = findings.lookup is not None and any(
        address.is_global for address in findings.lookup.addresses
    )
    is_open = any(step.problem == "is-public" for step in failures)
    return Verdict.PUBLIC if is_open or (is_served and is_public) else Verdict.FAILED


def is_all_good(every: Sequence[Findings]) -> bool:
    """Whether nothing failed."""
    return not any(findings.failures for findings in every)


def as_text(every: Sequence[Findings], means: Means, *, is_outside: bool) -> str:
    """The table, the names, and each failure with its likely cause."""
    verdicts = [verdict(findings, is_outside=is_outside) for findings in every]
    parts = [
        _head(means, is_outside=is_outside),
        _table(_rows(every, verdicts)),
        ["Names", *_chains(every)],
        _refusals(every) if is_outside else [],
        *_failures(every),
        _consequences(every),
        _skipped(every),
        [_conclusion(verdicts, is_outside=is_outside)],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def as_json(every: Sequence[Findings], means: Means, *, is_outside: bool) -> str:
    """The same for machines."""
    content = {
        "seen_from": "outside" if is_outside else "inside",
        "ok": is_all_good(every),
        "dns_servers": [str(server) for server in means.resolver.servers],
        "ranges": [str(network) for network in means.plan.ranges],
        "services": [_service(findings, is_outside=is_outside) for findings in every],
    }
    return json.dumps(content, indent=2)


def _service(findings: Findings, *, is_outside: bool) -> dict[str, Any]:
    lookup = findings.lookup
    return {
        "service": findings.target.service,
        "host": findings.target.host,
        "port": findings.target.port,
        "verdict": verdict(findings, is_outside=is_outside).lower(),
        "chain": list(lookup.chain) if lookup else [],
        "addresses": [str(address) for address in lookup.addresses] if lookup else [],
        "steps": [_step(step) for step in findings.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    content: dict[str, Any] = {"step": step.name, "outcome": step.outcome, "seen": step.text}
    if step.problem:
        cause = CAUSES[step.problem]
        content |= {"problem": step.problem, "cause": cause.likely, "do": list(cause.steps)}
    return content


def _head(means: Means, *, is_outside: bool) -> list[str]:
    servers = ", ".join(str(server) for server in means.resolver.servers)
    ranges = ", ".join(str(network) for network in means.plan.ranges)
    where = "outside: every name must be refused" if is_outside else "inside"
    return [
        f"The deployment's network, seen from {where}",
        *_table([("DNS servers", servers), ("network", ranges)]),
    ]


def _rows(every: Sequence[Findings], verdicts: Sequence[Verdict]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = [("service", "verdict", *STEPS, "address", "port")]
    for findings, word in zip(every, verdicts, strict=True):
        taken = [findings.outcome(name) for name in STEPS]
        marks = [_MARKS[step.outcome] if step else "-" for step in taken]
        addresses = findings.lookup.addresses if findings.lookup else ()
        shown = ", ".join(str(address) for address in addresses) or "none"
        rows.append((findings.target.service, word, *marks, shown, str(findings.target.port)))
    return rows


def _chains(every: Sequence[Findings]) -> Iterator[str]:
    width = max(len(findings.target.service) for findings in every)
    for findings in every:
        hops = str(findings.lookup or findings.target.host).replace(" -> ", "\n-> ").split("\n")
        yield from wrap(f"  {findings.target.service.ljust(width)}  ", hops)


def _refusals(every: Sequence[Findings]) -> list[str]:
    """From outside: where each service stopped us, as the proof that it did."""
    steps = [
        (findings.target.service, step)
        for findings in every
        if not findings.failures
        for step in findings.steps[-1:]
    ]
    return ["Refused", *_seen(steps)] if steps else []


def _failures(every: Sequence[Findings]) -> Iterator[list[str]]:
    """One block for each problem, so that one cause is read once, however many show it."""
    failed = [
        (step.problem, findings.target.service, step)
        for findings in every
        for step in _roots(findings)
    ]
    order = list(dict.fromkeys(problem for problem, _, _ in failed))
    failed.sort(key=lambda entry: order.index(entry[0]))
    for number, (problem, group) in enumerate(groupby(failed, key=lambda entry: entry[0]), 1):
        seen = list(group)
        is_everywhere = len({service for _, service, _ in seen}) == len(every) >= _MANY
        hint = EVERYWHERE.get(problem, "") if is_everywhere else ""
        shown = _seen((service, step) for _, service, step in seen)
        yield [f"Problem {number}: {problem}", *shown, *_advice(CAUSES[problem], hint)]


def _roots(findings: Findings) -> list[Step]:
    """The first failure of a service, and that of its token, which needs no network of its own."""
    failures = findings.failures
    return failures[:1] + [step for step in failures[1:] if step.name == "token"]


def _consequences(every: Sequence[Findings]) -> list[str]:
    steps = [
        (findings.target.service, step)
        for findings in every
        for step in findings.failures
        if step not in _roots(findings)
    ]
    return ["These follow from the above", *_seen(steps)] if steps else []


def _seen(steps: Iterable[tuple[str, Step]]) -> Iterator[str]:
    rows = [(f"{service}, {step.name}:", step.text) for service, step in steps]
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        yield from wrap(f"  {label.ljust(width)}  ", text.split())


def _advice(cause: Cause, hint: str) -> Iterator[str]:
    yield from wrap("  likely  ", f"{hint} {cause.likely}".split())
    for number, step in enumerate(cause.steps):
        yield from wrap("          - " if number else "  do      - ", step.split())


def wrap(label: str, words: Iterable[str]) -> Iterator[str]:
    """Words under a label, in lines that fit a terminal."""
    line, start = "", label
    for word in words:
        if line and len(start) + len(line) + len(word) >= _WIDTH:
            yield f"{start}{line}"
            line, start = "", " " * len(label)
        line = f"{line} {word}".strip()
    yield f"{start}{line}"


def _skipped(every: Sequence[Findings]) -> list[str]:
    """Steps that were left out although nothing before them failed."""
    rows = [
        (f"{findings.target.service}, {step.name}:", step.text)
        for findings in every
        for step in findings.steps
        if step.outcome == Outcome.SKIPPED and not findings.failures
    ]
    return ["Not checked", *_table(rows)] if rows else []


def _conclusion(verdicts: Sequence[Verdict], *, is_outside: bool) -> str:
    good = sum(word in _GOOD for word in verdicts)
    if good == len(verdicts):
        what = "refused from here" if is_outside else "private, and work"
        return f"All {good} services are {what}."
    public = sum(word == Verdict.PUBLIC for word in verdicts)
    others = len(verdicts) - good - public
    counts = [f"{public} PUBLIC" if public else "", f"{others} failed" if others else ""]
    said = ", ".join(filter(None, counts))
    return f"{good} of {len(verdicts)} services are as they should be; {said}."


def _table(rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns one below the other, behind an indent of two."""
    kept = [list(row) for row in rows]
    widths = [max(len(row[column]) for row in kept) for column in range(len(kept[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in kept
    ]
