"""The load, as a process of its own: a job per line on standard input, its result per line back.

A job: `{"target": "portal"|"completions", "port": 8000, "users": 50, "rounds": 1, "tokens": 300,
"spread_seconds": 3, "people": [{"email": …, "password": …, "tenant": …}]}`. The result: a list with
one measured answer each (tests/bench/reading.py). People sign in once and keep their session.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop

from tests.bench.channel import Channel, encode
from tests.bench.holding import Held
from tests.bench.person import Refused, Session, Tab
from tests.bench.reading import CompletionsReader, Measured

Ask = Callable[[str], Awaitable[Measured]]


class Driver:
    """Keeps the sessions between jobs."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._held = Held()

    async def run(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        others = {
            "sign-in": self._sign_in,
            "requests": self._time_requests,
            "hold": self._hold,
            "release": self._release,
        }
        return await others.get(job["target"], self._answers)(job)

    async def _answers(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        if job["is_rehearsal"]:
            self._asks = await self._prepare(job)
            gc.collect()
            return []
        measured: list[Measured] = []
        for _ in range(job["rounds"]):
            measured += await asyncio.gather(
                *(one(ask, job, number) for number, ask in enumerate(self._asks))
            )
        return [answer.as_json() for answer in measured]

    async def _hold(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        await self._held.open(self._sessions, job["streams"])
        return []

    async def _release(self, _job: dict[str, Any]) -> list[dict[str, Any]]:
        return self._held.release()

    async def _sign_in(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        for person in job["people"]:
            session = Session(job["port"])
            await session.sign_in(person["email"], person["password"])
            self._sessions[person["email"]] = session
        return []

    async def _time_requests(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        """Lists and sends of some people, one after the other for each; seconds of every one."""
        tabs = [
            Tab(self._sessions[person["email"]], person["tenant"])
            for person in job["people"][: job["users"]]
        ]
        await asyncio.gather(*(tab.open() for tab in tabs))
        return await asyncio.gather(*(times_of(tab, job["rounds"]) for tab in tabs))

    async def _prepare(self, job: dict[str, Any]) -> list[Ask]:
        if job["target"] == "completions":
            return [completions(job["port"]) for _ in range(job["users"])]
        people = job["people"]
        tabs = [
            Tab(self._sessions[person["email"]], person["tenant"])
            for person in (people[number % len(people)] for number in range(job["users"]))
        ]
        for start in range(0, len(tabs), 10):
            await asyncio.gather(*(tab.open() for tab in tabs[start : start + 10]))
        return [tab.ask for tab in tabs]


async def one(ask: Ask, job: dict[str, Any], number: int) -> Measured:
    """One answer, at its place in the spread of arrivals; what went wrong goes into `problem`."""
    await asyncio.sleep(job["spread_seconds"] * number / job["users"])
    try:
        async with asyncio.timeout(job["limit_seconds"]):
            return await ask(f"Tell me a story. tokens={job['tokens']}")
    except (Refused, ConnectionError, TimeoutError) as error:
        return Measured(problem=f"{type(error).__name__}: {error}"[:300])


async def times_of(tab: Tab, rounds: int) -> dict[str, list[float]]:
    """Three lists and a send in each round."""
    lists, sends = [], []
    for _ in range(rounds):
        lists += [await tab.list() for _ in range(3)]
        answer = await tab.ask("tokens=1")
        sends.append(answer.sent_at - answer.clicked_at)
    return {"list": lists, "send": sends}


def completions(port: int) -> Ask:
    """Ask the model server itself, or a proxy before it."""

    async def ask(message: str) -> Measured:
        channel = await Channel.open(port)
        prompt = [{"role": "user", "content": message}]
        body = json.dumps({"model": "bench", "stream": True, "messages": prompt}).encode()
        headers = {"Content-Type": "application/json"}
        measured = Measured(clicked_at=time.monotonic())
        request = encode("POST", "/v1/chat/completions", headers, body)
        await channel.ask(request, CompletionsReader(measured))
        channel.close()
        return measured

    return ask


async def main() -> None:
    loop, driver = asyncio.get_running_loop(), Driver()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            result: Any = await driver.run(json.loads(line))
        except (Refused, ConnectionError) as error:
            result = {"error": str(error)}
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    uvloop.run(main())
