"""A DNS server for tests: answers from its own records, over UDP and TCP, or fails as told."""

import contextlib
import socket
import struct
import threading
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

_LONGEST_UDP = 512
_LONGEST_CHAIN = 8
_TRIES = 20


class DnsServer:
    """``with DnsServer() as server: server.records["a.example"] = ("A", "10.0.0.4")``.

    Follows its own aliases, as a recursive server does. A name without a record does not exist.
    `failing` names are answered with SERVFAIL; `is_silent` answers nothing at all; `is_wordy`
    makes every answer too long for UDP; `is_lazy` names an alias and leaves it at that.
    """

    def __init__(self, address: str = "127.0.0.1", port: int = 0) -> None:
        self.records: dict[str, tuple[str, str]] = {}
        self.failing: set[str] = set()
        self.is_silent = self.is_wordy = self.is_lazy = False
        self._udp, self._tcp = _sockets(address, port)
        self.address, self.port = self._udp.getsockname()

    def __enter__(self) -> Self:
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in (self._udp, self._tcp):
            with contextlib.suppress(OSError):  # not connected, which wakes its thread all the same
                server.shutdown(socket.SHUT_RDWR)
            server.close()

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    def reset(self) -> None:
        """Forget everything that was told."""
        self.records.clear()
        self.failing.clear()
        self.is_silent = self.is_wordy = self.is_lazy = False

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, client = self._udp.recvfrom(4096)
                answer = self._answer(wire)
                if answer is None or self.is_silent:
                    continue
                if self.is_wordy or len(answer.to_wire()) > _LONGEST_UDP:
                    answer.flags |= dns.flags.TC
                    answer.answer.clear()
                self._udp.sendto(answer.to_wire(), client)

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._tcp.accept()
                with connection, connection.makefile("rwb") as stream:
                    (length,) = struct.unpack("!H", stream.read(2))
                    answer = self._answer(stream.read(length))
                    if answer is not None and not self.is_silent:
                        wire = answer.to_wire()
                        stream.write(struct.pack("!H", len(wire)) + wire)

    def _answer(self, wire: bytes) -> dns.message.Message | None:
        try:
            query = dns.message.from_wire(wire)
        except dns.exception.DNSException:
            return None
        answer = dns.message.make_response(query, recursion_available=True)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        if name in self.failing:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif not self._fill(answer, name, question.rdtype):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer

    def _fill(
        self, answer: dns.message.Message, name: str, wanted: dns.rdatatype.RdataType
    ) -> bool:
        """Whether the name, and what it stands for, exists."""
        for _ in range(_LONGEST_CHAIN):
            record = self.records.get(name)
            if record is None:
                return False
            kind, value = record
            is_alias = kind == "CNAME"
            if is_alias or kind == dns.rdatatype.to_text(wanted):
                values = [f"{value}." if is_alias else text for text in value.split()]
                answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *values))
            if not is_alias or self.is_lazy:
                return True
            name = value
        return True


def _sockets(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """One of each kind, on the same port."""
    for attempt in range(_TRIES):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((address, port))
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(udp.getsockname())
        except OSError:
            udp.close()
            tcp.close()
            if port or attempt == _TRIES - 1:
                raise
        else:
            tcp.listen()
            return udp, tcp
    raise AssertionError("unreachable")
