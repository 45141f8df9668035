"""Judges the diagnostic stream, and a real answer: do events arrive when they are sent?"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from portal.streamcheck import diagnostic
from portal.streamcheck.connection import Origin, Unreachable
from portal.streamcheck.judging import Check, State, check
from portal.streamcheck.measuring import Arrival, Measured, measure

# Sent a quarter of a second apart, two events that arrive closer than this came as one lump.
_LUMP_SECONDS = 0.08
_LUMPED_SHARE = 1 / 3
_FIRST_SECONDS = 2.0
_GAP_SLACK_SECONDS = 3.0
_EXPECTED_CACHE_CONTROL = {"no-cache", "no-transform"}

_HINTS = {
    "buffered": (
        "Something on the way collects the answer before it passes it on. Application Gateway:"
        " globalConfiguration.enableResponseBuffering must be false (one setting for the whole"
        " gateway). nginx: proxy_buffering off."
    ),
    "compressed": "Something compresses the stream, and holds events back to do so: switch that off"
    " for text/event-stream.",
    "headers": "Something on the way rewrites the headers of answers: let Content-Type and"
    " Cache-Control pass as they are.",
    "cut": "Something closes connections that live this long, or are silent for so long: the"
    " backend setting's requestTimeout, the public address's idleTimeoutInMinutes, or a proxy of"
    " your own network. The portal sends a heartbeat every 15 seconds.",
    "busy": "Other runs of check_stream are using the diagnostic stream. Try again in a minute.",
    "key": "The portal does not accept this command's token. Run it with the portal's SECRET_KEY,"
    " on a machine whose clock is right to within five minutes.",
}


@dataclass
class StreamResult:
    """What the report says of the stream; `numbers` are for machines, in seconds."""

    checks: list[Check]
    numbers: dict[str, Any] = field(default_factory=dict)


def check_stream(origin: Origin, plan: diagnostic.Plan) -> StreamResult:
    """Open the diagnostic stream and judge it. Raises Unreachable."""
    headers = {"Authorization": f"Bearer {plan.signed()}"}
    measured = measure(origin, diagnostic.PATH, headers, seconds=plan.seconds, last=diagnostic.END)
    if measured.status != 200:
        raise Unreachable(_refusal(measured))
    return judge(measured, plan)


def judge(measured: Measured, plan: diagnostic.Plan) -> StreamResult:
    """What is to be said of the stream that was planned so."""
    checks = _header_checks(measured)
    if not measured.is_compressed:
        checks += [*_time_checks(measured, plan), *_life_checks(measured, plan)]
    return StreamResult(checks, _numbers(measured))


def _refusal(measured: Measured) -> str:
    """Why there is no stream."""
    if not measured.is_portals:
        return f"The gateway refused {diagnostic.PATH} with {measured.status}."
    hint = _HINTS["busy" if measured.status == 503 else "key"]
    return f"{diagnostic.PATH} answered {measured.status}. {hint}"


def _header_checks(measured: Measured) -> list[Check]:
    kind = measured.headers.get("content-type", "none")
    cache = measured.headers.get("cache-control", "none")
    kept = {part.strip() for part in cache.split(",")} >= _EXPECTED_CACHE_CONTROL
    encoding = measured.headers.get("content-encoding", "none")
    is_stream = kind.startswith("text/event-stream")
    return [
        check("content type", kind, ok=is_stream, hint=_HINTS["headers"]),
        check("cache control", cache, ok=kept, hint=_HINTS["headers"]),
        check("compression", encoding, ok=not measured.is_compressed, hint=_HINTS["compressed"]),
    ]


def _time_checks(measured: Measured, plan: diagnostic.Plan) -> list[Check]:
    ticks = measured.named(diagnostic.TICK)
    if not ticks:
        return [check("first event", "none came", ok=False, hint=_HINTS["cut"])]
    lumps = _lumps(ticks)
    largest, lumped = max(lumps), len(ticks) - len(lumps)
    is_flowing = lumped <= _LUMPED_SHARE * (len(ticks) - 1)
    words = f"{len(ticks)} events" if largest == 1 else f"{len(ticks)} events, {largest} at once"
    return [
        check("first event", f"after {ticks[0].at:.2f} s", ok=ticks[0].at < _FIRST_SECONDS,
              hint=_HINTS["buffered"]),
        check("one by one", f"{words}, held back up to {_held_back(ticks):.2f} s", ok=is_flowing,
              hint=_HINTS["buffered"]),
        _completeness(ticks, plan),
    ]  # fmt: skip


def _lumps(ticks: list[Arrival]) -> list[int]:
    """How many events arrived together, each time that some did."""
    lumps = [1]
    for earlier, later in pairwise(ticks):
        if later.at - earlier.at < _LUMP_SECONDS:
            lumps[-1] += 1
        else:
            lumps.append(1)
    return lumps


def _held_back(ticks: list[Arrival]) -> float:
    """The longest that an event was under way, above the shortest: it needs no common clock."""
    delays = [tick.at - _sent(tick) for tick in ticks]
    return max(delays) - min(delays)


def _sent(tick: Arrival) -> float:
    sent = tick.data.get("sent")
    return float(sent) if isinstance(sent, int | float) else 0.0


def _completeness(ticks: list[Arrival], plan: diagnostic.Plan) -> Check:
    numbers = [tick.data.get("number") for tick in ticks]
    is_complete = numbers == list(range(plan.ticks))
    value = f"{len(ticks)} of {plan.ticks} events, in order"
    if not is_complete:
        value = f"{len(ticks)} of {plan.ticks} events, or out of order"
    return check("complete", value, ok=is_complete, hint=_HINTS["cut"])


def _life_checks(measured: Measured, plan: diagnostic.Plan) -> list[Check]:
    ended = bool(measured.named(diagnostic.END))
    expected = max(plan.heartbeat_seconds, diagnostic.TICK_SECONDS) + _GAP_SLACK_SECONDS
    expected = min(expected, plan.seconds + _GAP_SLACK_SECONDS)
    longest = max(measured.gaps, default=0.0)
    value = f"{measured.closed_at:.1f} s of {plan.seconds:.0f} s"
    if measured.broken:
        value += f" ({measured.broken.rstrip('.')})"
    return [
        check("longest gap", f"{longest:.2f} s", ok=longest < expected, hint=_HINTS["buffered"]),
        check("stays open", value, ok=ended, hint=_HINTS["cut"]),
    ]


def _numbers(measured: Measured) -> dict[str, Any]:
    ticks = measured.named(diagnostic.TICK)
    lumps = _lumps(ticks) if ticks else []
    return {
        "status": measured.status,
        "headers_seconds": round(measured.headers_at, 3),
        "first_event_seconds": round(ticks[0].at, 3) if ticks else None,
        "held_back_seconds": round(_held_back(ticks), 3) if ticks else None,
        "longest_gap_seconds": round(max(measured.gaps, default=0.0), 3),
        "lived_seconds": round(measured.closed_at, 3),
        "events": len(ticks),
        "lumps": len(lumps),
        "largest_lump": max(lumps, default=0),
    }


# ── A real answer ──────────────────────────────────────────────────────────────────────────────
def check_answer(measured: Measured) -> StreamResult:
    """Judge the stream of a real answer: how soon its first words came, and how."""
    words = [one for one in measured.arrivals if one.name in {"delta", "snapshot"} and _text(one)]
    ends = measured.named("end")
    status = str(ends[0].data.get("status", "")) if ends else "no end event"
    first = f"after {words[0].at:.2f} s" if words else "none came"
    checks = [
        *_header_checks(measured),
        check("first words", first, ok=bool(words), hint=_HINTS["buffered"]),
        Check("parts", State.NOTED, f"{len(words)}"),
        check("answer", status, ok=status == "completed", hint="See the log of the worker."),
    ]
    return StreamResult(checks, {"first_words_seconds": words[0].at if words else None})


def _text(arrival: Arrival) -> bool:
    return bool(arrival.data.get("text"))
