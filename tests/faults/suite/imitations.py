"""Third parties' servers that imitate the protocol and break on purpose.

npm's `@copilotkit/aimock` also under the paths of Azure, PyPI's `llmock` with a verdict on how its
client behaves. They know our messages by their marks, or by the deployment's name.
"""

import json
import os
import shutil
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.embedded.processes import Child, Program
from tests.bench.stack import ROOT, free_port, listens
from tests.faults.suite.calls import Call
from tests.faults.suite.cases import Case, End, number_of
from tests.faults.suite.faults import Fault
from tests.upstream import Usage

AIMOCK = ROOT / "node_modules" / "@copilotkit" / "aimock" / "dist" / "cli.js"
LLMOCK = ROOT / "var" / "llmock" / "bin" / "llmock"
START_SECONDS = 60.0
WORDS = "One two three four five six seven eight nine ten 世界 Grüße 🙂 and the end."
TOKENS = Usage(17, 23)  # what aimock is told to report
CHUNKS = 5
RATE = 10.0
STALL_SECONDS = 30
# A verdict sees the calls only: that the portal calls a cut answer interrupted, it cannot know.
NOT_TOLD_BY_CALLS = {"truncated_stream_accepted"}


def _words(_number: int) -> str:
    return WORDS


def _nothing(_number: int) -> str:
    return ""


def _case(name: str, end: End | None = None, *, deployment: str = "", whole: bool = True) -> Case:
    shows = _words if whole else None
    return Case(name, end or End("completed"), shows=shows, deployment=deployment or name)


_BROKEN = End("interrupted", "unavailable")
AIMOCK_PLAIN = _case("aimock-plain", deployment="aimock-azure")
# Each with what its fixture has besides the match and the words.
_AIMOCK: dict[Case, dict[str, Any]] = {
    AIMOCK_PLAIN: {},
    _case("aimock-openai"): {},
    _case("aimock-truncated", _BROKEN, deployment="aimock-azure", whole=False): {
        "truncateAfterChunks": CHUNKS
    },
    _case("aimock-disconnected", _BROKEN, deployment="aimock-azure", whole=False): {
        "disconnectAfterMs": 600
    },
    _case("aimock-length", End("truncated"), deployment="aimock-azure"): {
        "response": {"finishReason": "length"}
    },
    _case("aimock-filter-finish", End("filtered", "", "reply"), deployment="aimock-azure"): {
        "response": {"finishReason": "content_filter"}
    },
}
AIMOCK_FILTER = Case(
    "aimock-filter",
    End("filtered", "filtered", "prompt"),
    shows=_nothing,
    deployment="aimock-azure",
)
_FILTERED = {"message": "The response was filtered.", "code": "content_filter", "param": "prompt"}
# llmock goes by the model's name: a deployment for each of what it does.
_LLMOCK: dict[Case, dict[str, Any]] = {
    _case("llmock-429"): {"type": "fail", "status": 429, "retry_after": 1, "times": 3},
    _case("llmock-500"): {"type": "fail", "status": 500, "times": 2},
    _case("llmock-slow"): {"type": "slow_first_token", "seconds": 2},
    _case("llmock-disconnect", _BROKEN, whole=False): {"kind": "disconnect"},
    _case("llmock-truncate", End("interrupted", "cut_off"), whole=False): {"kind": "truncate"},
    _case("llmock-malformed", End("interrupted", "malformed"), whole=False): {"kind": "malformed"},
    _case("llmock-stall", End("interrupted", "timeout"), whole=False): {
        "kind": "stall", "stall_seconds": STALL_SECONDS
    },
}  # fmt: skip
FAULTS = (
    Fault("aimock: cut, filtered, too long", (*_AIMOCK, AIMOCK_FILTER), then=AIMOCK_PLAIN),
    Fault(
        "llmock: refuses, slow, cut, malformed, stalls",
        tuple(_LLMOCK),
        then=None,
        also=frozenset({End("failed", "rate_limited"), End("failed", "unavailable")}),
        limit_seconds=120,
    ),
)


@dataclass
class Imitations:
    """The running servers: their deployments, what they were asked, what they think of us."""

    aimock: str
    llmock: str

    @property
    def deployments(self) -> dict[str, dict[str, str]]:
        """For the portal's catalogue."""
        aimock = {
            "aimock-azure": {"kind": "azure", "endpoint": self.aimock},
            "aimock-openai": {"kind": "openai", "endpoint": f"{self.aimock}/v1"},
        }
        llmock = {
            case.deployment: {"kind": "openai", "endpoint": f"{self.llmock}/v1"} for case in _LLMOCK
        }
        return {name: fields | {"model": name} for name, fields in (aimock | llmock).items()}

    def calls(self) -> Mapping[int, list[Call]]:
        """What both were asked, by message."""
        calls: dict[int, list[Call]] = defaultdict(list)
        for entry in _get(f"{self.aimock}/__aimock/journal"):
            calls[_number(entry)].append(_call_of_aimock(entry["response"]))
        for entry in _get(f"{self.llmock}/_llmock/requests")["requests"]:
            calls[_number(entry)].append(_call_of_llmock(entry))
        return calls

    def complaints(self) -> list[str]:
        """What llmock finds wrong with how it was called."""
        return [
            f"{finding['code']}: {finding['title']}"
            for finding in _get(f"{self.llmock}/_llmock/verdict")["findings"]
            if finding["severity"] == "error" and finding["code"] not in NOT_TOLD_BY_CALLS
        ]


def _call_of_aimock(response: dict[str, Any]) -> Call:
    is_answered = response["status"] == 200 and not response.get("interrupted")
    sent = WORDS if response["status"] == 200 else ""
    return Call(sent, TOKENS if is_answered else None, is_answered)


def _call_of_llmock(entry: dict[str, Any]) -> Call:
    is_stream = entry["status"] == 200
    fault = entry["fault"] or ""
    return Call(
        WORDS if is_stream else "", None, is_stream and "stream:" not in fault, counts=False
    )


def _number(entry: dict[str, Any]) -> int:
    asked = [each["content"] for each in entry["body"]["messages"] if each["role"] == "user"]
    return number_of(asked[-1])


@contextmanager
def running(folder: Path) -> Iterator[Imitations]:
    """Both, told what to do."""
    fixtures = folder / "aimock.json"
    fixtures.write_text(json.dumps({"fixtures": _fixtures()}))
    node = (
        shutil.which("node", path=f"{os.environ['PATH']}:{Path(sys.executable).parent}") or "node"
    )
    aimock = [node, str(AIMOCK), "--strict", "--journal-max", "0", "--fixtures", str(fixtures)]
    llmock = [str(LLMOCK), "serve", "--stream-chunk-delay-ms", f"{1000 / RATE:g}"]
    with _server("aimock", aimock, folder) as first, _server("llmock", llmock, folder) as second:
        _post(f"{second}/_llmock/scenario", {"behaviors": _behaviours()})
        yield Imitations(first, second)


def _fixtures() -> list[dict[str, Any]]:
    usage = {"prompt_tokens": TOKENS.input_tokens, "completion_tokens": TOKENS.output_tokens}
    pace = {"chunkSize": 5, "streamingProfile": {"ttft": 300, "tps": RATE}}
    answers = [
        {"match": {"userMessage": f"[{case.name} "}}
        | pace
        | more
        | {"response": {"content": WORDS, "usage": usage} | more.get("response", {})}
        for case, more in _AIMOCK.items()
    ]
    refusal = {"error": _FILTERED, "status": 400}
    return [*answers, {"match": {"userMessage": f"[{AIMOCK_FILTER.name} "}, "response": refusal}]


def _behaviours() -> list[dict[str, Any]]:
    always: dict[str, Any] = {"times": None}
    broken = {"type": "stream_fault", "after_chunks": CHUNKS}
    behaviours = [{"type": "reply", "text": WORDS} | always]
    for case, told in _LLMOCK.items():
        fault = broken if "kind" in told else {}
        behaviours.append(always | fault | told | {"match": {"model": case.deployment}})
    return behaviours


@contextmanager
def _server(name: str, command: list[str], folder: Path) -> Iterator[str]:
    """A server of a third party on a free port; its address."""
    port = free_port()
    child = Child(Program(name, [*command, "--port", str(port)], log=folder / f"{name}.log"))
    child.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(port):
            child.raise_if_ended()
            assert time.monotonic() < deadline, f"{name} does not listen, see {child.log}"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.stop()


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def _post(url: str, body: dict[str, Any]) -> None:
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=30):
        pass
