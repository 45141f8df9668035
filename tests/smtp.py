"""A mail server for tests: takes mail, or answers as it is told."""

import socketserver
import threading
from types import TracebackType
from typing import Self, cast


class SmtpServer(socketserver.ThreadingTCPServer):
    """Listens on a free port of this machine while it is entered.

    `answer_to_recipient` is said to every RCPT; "" closes the connection instead.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.answer_to_recipient = "250 OK"
        self.messages: list[str] = []
        self.connections = 0
        self.port: int = self.server_address[1]
        self._thread = threading.Thread(target=self.serve_forever, args=[0.05])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join(timeout=10)


class _Conversation(socketserver.StreamRequestHandler):
    """One connection of a client."""

    def handle(self) -> None:
        """Answer commands until one ends it."""
        self._mail_server.connections += 1
        self._say("220 ready")
        while (line := self.rfile.readline().decode().strip()) and self._answer(line[:4].upper()):
            pass

    @property
    def _mail_server(self) -> SmtpServer:
        return cast(SmtpServer, self.server)

    def _answer(self, verb: str) -> bool:
        """Answer this command; False when that ends the connection."""
        if verb == "DATA":
            self._say("354 go on")
            self._mail_server.messages.append(self._read_message())
        answers = {"QUIT": "221 bye", "RCPT": self._mail_server.answer_to_recipient}
        answer = answers.get(verb, "250 OK")
        if answer:
            self._say(answer)
        return bool(answer) and verb != "QUIT"

    def _read_message(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode()) and line != ".\r\n":
            lines.append(line)
        return "".join(lines)

    def _say(self, answer: str) -> None:
        self.wfile.write(f"{answer}\r\n".encode())
