"""What a TLS server says for a real server behind it: bytes go to and fro."""

import contextlib
import socket
import ssl
import threading
from urllib.parse import urlsplit

from tests.cloud.tls_server import Speak

_PIECE = 65_536


def relay_to(url: str) -> Speak:
    """A relay to the host and port of this address, without TLS."""
    place = urlsplit(url)

    def speak(secure: ssl.SSLSocket) -> None:
        with socket.create_connection((str(place.hostname), int(place.port or 0))) as behind:
            back = threading.Thread(target=_pump, args=[behind, secure], daemon=True)
            back.start()
            _pump(secure, behind)
            back.join()

    return speak


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)
