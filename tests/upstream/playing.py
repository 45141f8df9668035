"""Plays the steps of a reply into a connection, each at its own time."""

import asyncio
import socket
import struct
import time
from collections.abc import Iterator

from tests.upstream import stamp
from tests.upstream.log import Log, Request
from tests.upstream.plan import Step, is_stamped
from tests.upstream.script import Fault, Gate

HIGH_WATER = 1_000_000
PIECE_GAP = 0.001
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"cache-control: no-cache\r\ntransfer-encoding: chunked\r\nx-request-id: upstream\r\n\r\n"
)
LINGER_RESET = struct.pack("ii", 1, 0)


class Player:
    """One reply on its way. The event loop's timer calls it when the next step is due."""

    def __init__(
        self, transport: asyncio.Transport, steps: Iterator[Step], request: Request, log: Log
    ) -> None:
        self._transport, self._steps, self._request, self._log = transport, steps, request, log
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._has_head = False
        self._next: Step | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._request.status = 200
        self._advance()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next = None
        self._steps = iter(())
        self._log.end(self._request, complete=False)

    def _advance(self) -> None:
        """Play every step that is due, then set the timer for the one that is not."""
        while not self._transport.is_closing():
            step = self._next if self._next is not None else next(self._steps, None)
            self._next = step
            if step is None:
                self._finish()
                return
            due = self._due(step)
            if due > self._loop.time():
                self._timer = self._loop.call_at(due, self._advance)
                return
            self._next = None
            if not self._play(step):
                return

    def _due(self, step: Step) -> float:
        if self._transport.get_write_buffer_size() > HIGH_WATER:
            return self._loop.time() + 0.005
        return self._began + step.at

    def _play(self, step: Step) -> bool:
        """Whether the next step may follow."""
        if step.data:
            self._send(step)
        if step.gate is not None:
            return self._wait(step.gate)
        return self._act(step.fault) if step.fault is not None else True

    def _send(self, step: Step) -> None:
        data = step.data
        if is_stamped(step):
            data = data.replace(stamp.STAMP_BYTES, stamp.now())
        chunk = b"%x\r\n%b\r\n" % (len(data), data)
        self._transport.write(chunk if self._has_head else HEAD + chunk)
        self._has_head = True
        if step.tokens:
            self._note(step)

    def _note(self, step: Step) -> None:
        request = self._request
        if not request.output_tokens:
            request.first_token_at = time.monotonic()
            self._log.changed()
        request.output_tokens += step.tokens
        if not is_stamped(step):
            request.sent_text += step.text

    def _wait(self, gate: Gate) -> bool:
        began = self._loop.time()

        def go_on() -> None:
            held = self._loop.time() - began
            self._began += held
            self._advance()

        return gate.passes(self._loop, go_on)

    def _act(self, fault: Fault) -> bool:
        if fault is Fault.ERROR:
            self._finish()
        elif fault is Fault.CUT:
            self._log.end(self._request, complete=True)
            self._transport.close()
        elif fault is Fault.RESET:
            self._log.end(self._request, complete=True)
            reset(self._transport)
        return False

    def _finish(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(b"0\r\n\r\n" if self._has_head else HEAD + b"0\r\n\r\n")
        self._log.end(self._request, complete=True)


def reset(transport: asyncio.Transport) -> None:
    """Close with RST, as a crashed peer or a firewall does."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_RESET)
    transport.abort()


def split(steps: Iterator[Step], size: int) -> Iterator[Step]:
    """The same bytes in pieces of `size`, through characters and events, a millisecond apart."""
    late = 0.0
    for step in steps:
        pieces = [step.data[start : start + size] for start in range(0, len(step.data), size)]
        for piece in pieces[:-1]:
            yield Step(step.at + late, piece)
            late += PIECE_GAP
        last = pieces[-1] if pieces else b""
        yield Step(step.at + late, last, step.text, step.tokens, step.fault, step.gate)
