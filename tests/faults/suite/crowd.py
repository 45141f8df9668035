"""Runs one fault: a crowd of conversations, what breaks meanwhile, and the verdicts."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from tests.bench.person import Session
from tests.faults.suite import stored
from tests.faults.suite.calls import Call, of_upstream
from tests.faults.suite.cases import STEADY, Case, End, Playbook
from tests.faults.suite.faults import Act, Fault
from tests.faults.suite.imitations import Imitations
from tests.faults.suite.judge import Verdict, Violation, Wrong, judge, judge_ledger
from tests.faults.suite.portal import HEARTBEAT_LIMIT, SWEEP, Portal
from tests.faults.suite.tab import Sent, Tab
from tests.upstream import Upstream

LOOK_SECONDS = 0.5
SOON_SECONDS = 0.05
SLACK_SECONDS = 5.0


@dataclass
class World:
    """What a run of the suite has: the portal, its provider, and people who are signed in."""

    portal: Portal
    upstream: Upstream
    playbook: Playbook
    imitations: Imitations | None
    # What is started again in a thread dies with that thread: it has to live as long as all this.
    breaking: ThreadPoolExecutor
    sessions: dict[str, Session] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def sign_in(self) -> None:
        """Everybody, once: their sessions last for the run."""
        for person in self.portal.people:
            session = Session(self.portal.port)
            await session.sign_in(person["email"], person["password"])
            self.sessions[person["email"]] = session

    async def break_by(self, act: Act) -> None:
        """Break something, and wait until all is up again."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self.breaking, act, self.portal, self.playbook)
        await asyncio.to_thread(self.portal.wait_until_ready)

    def tab(self, number: int) -> Tab:
        """A new conversation of one of the people."""
        person = self.portal.people[number % len(self.portal.people)]
        session = self.sessions[person["email"]]
        return Tab(session, person["tenant"], self.portal.deployments)

    def new(self, case: Case) -> Sent:
        """The next message."""
        return Sent(next(self.numbers), case)

    def calls(self) -> dict[int, list[Call]]:
        """What all providers were asked so far, by message."""
        imitated = self.imitations.calls() if self.imitations else {}
        return {**of_upstream(self.upstream.requests), **imitated}


@dataclass
class Result:
    """What came of one fault."""

    fault: str
    conversations: int
    verdicts: list[Verdict]
    others: list[Violation]

    @property
    def violations(self) -> list[Violation]:
        return [each for verdict in self.verdicts for each in verdict.violations] + self.others


class Crowd:
    """The conversations of one fault."""

    def __init__(self, world: World, fault: Fault, conversations: int) -> None:
        self._world, self._fault, self._conversations = world, fault, conversations
        self._is_over = asyncio.Event()
        self._sent: list[Sent] = []
        self._longest_silence = 0.0
        self._act_seconds = 0.0

    async def run(self) -> Result:
        """Talk and break, until every message has its end; then compare."""
        before = await asyncio.to_thread(self._world.calls)
        watching = asyncio.create_task(self._watch())
        await asyncio.gather(self._break(), *map(self._talk, range(self._conversations)))
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        return await asyncio.to_thread(self._compare, set(before))

    async def _talk(self, place: int) -> None:
        tab, case = self._world.tab(place), self._fault.cases[place % len(self._fault.cases)]
        await self._ask(tab, case)
        while not self._is_over.is_set():
            await self._ask(tab, self._next(case))
        await self._ask(tab, self._next(case))

    def _next(self, case: Case) -> Case:
        if self._fault.chance is not None:
            return self._fault.chance.choice(self._fault.cases)
        return case if self._fault.act else self._fault.then or case

    async def _ask(self, tab: Tab, case: Case) -> None:
        sent = self._world.new(case)
        self._sent.append(sent)
        await tab.ask(sent, self._fault.limit_seconds)

    async def _break(self) -> None:
        if self._fault.act is not None:
            if self._fault.is_amid_answers:
                await self._half_have_begun()
            began = time.monotonic()
            await self._world.break_by(self._fault.act)
            self._act_seconds = time.monotonic() - began
        self._is_over.set()

    async def _half_have_begun(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._fault.limit_seconds):
                while 2 * sum(bool(sent.shown.text) for sent in self._sent) < self._conversations:
                    await asyncio.sleep(SOON_SECONDS)

    async def _watch(self) -> None:
        """How long what runs is silent, as long as it goes on."""
        address = self._world.portal.address
        while True:
            silence = await asyncio.to_thread(stored.longest_silence, address)
            self._longest_silence = max(self._longest_silence, silence)
            await asyncio.sleep(LOOK_SECONDS)

    def _compare(self, earlier: set[int]) -> Result:
        address = self._world.portal.address
        numbers = [sent.number for sent in self._sent]
        kept = stored.read(address, min(numbers), max(numbers))
        called = {
            number: calls for number, calls in self._world.calls().items() if number not in earlier
        }
        verdicts = [
            judge(sent, kept[sent.number], called.get(sent.number, ()), self._allowed(sent))
            for sent in self._sent
        ]
        others = [*self._silent(), *_unknown(set(numbers), kept, called, address)]
        others += judge_ledger(kept, called)
        if self._world.imitations is not None:
            complaints = self._world.imitations.complaints()
            others += [Violation(Wrong.RUDE, complaint) for complaint in complaints]
        return Result(self._fault.name, self._conversations, verdicts, others)

    def _allowed(self, sent: Sent) -> frozenset[End]:
        """The ends that this message may have: what breaks must not touch the steady deployment."""
        also = self._fault.also if sent.case.deployment != STEADY else frozenset()
        return also | {sent.case.end}

    def _silent(self) -> list[Violation]:
        most = HEARTBEAT_LIMIT + SWEEP + SLACK_SECONDS + self._act_seconds
        if self._longest_silence <= most:
            return []
        what = f"something ran for {self._longest_silence:.1f} s without a heartbeat"
        return [Violation(Wrong.DISHONEST, what)]


def _unknown(
    numbers: set[int],
    kept: Mapping[int, stored.Stored],
    called: Mapping[int, list[Call]],
    address: str,
) -> list[Violation]:
    """What nobody asked for."""
    found = []
    if strangers := (kept.keys() | called.keys()) - numbers:
        found.append(Violation(Wrong.DOUBLE, f"nobody sent the messages {sorted(strangers)}"))
    if unknown := stored.count_unknown_bills(address):
        found.append(Violation(Wrong.BILL, f"{unknown} entries of the ledger have no generation"))
    return found
