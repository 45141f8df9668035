"""Connections: TCP to one address, and TLS whose certificate must be the service's."""

import socket
import ssl
import struct
from contextlib import closing

from cryptography import x509
from cryptography.x509.oid import NameOID

from portal.network.findings import Deadline, Problem
from portal.network.plan import Address, Target

# How a client of PostgreSQL asks for TLS; the server answers with one byte
# (https://www.postgresql.org/docs/current/protocol-message-formats.html).
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)
# Reasons of OpenSSL why a certificate does not hold (X509_V_ERR_..., in openssl/x509_vfy.h).
_VERIFICATION = {
    9: "certificate-expired",  # not yet valid
    10: "certificate-expired",
    18: "certificate-foreign",  # self-signed
    19: "certificate-foreign",  # self-signed in the chain
    20: "certificate-foreign",  # issuer unknown
    21: "certificate-foreign",  # issuer unknown, one certificate alone
    62: "certificate-name",
}
_PLAIN = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}
)


def open_tcp(address: Address, port: int, deadline: Deadline) -> socket.socket:
    """A connection. Raises Problem."""
    place = f"{address}:{port}"
    wait = deadline.wait()
    try:
        return socket.create_connection((str(address), port), timeout=wait)
    except TimeoutError:
        raise Problem("tcp-silent", f"no answer from {place} within {wait:.1f} s") from None
    except ConnectionRefusedError:
        raise Problem("tcp-refused", f"{place} refuses the connection") from None
    except OSError as error:
        raise Problem("tcp-unreachable", f"{place}: {error.strerror or error}") from None


def open_tls(target: Target, address: Address, deadline: Deadline) -> ssl.SSLSocket:
    """A connection to what has proven to be this host. Raises Problem."""
    try:
        return _handshake(target, address, deadline, ssl.create_default_context())
    except ssl.SSLCertVerificationError as error:
        code = _VERIFICATION.get(error.verify_code, "certificate-bad")
        shown = _shown_certificate(target, address, deadline)
        raise Problem(code, f"{error.verify_message}; the certificate {shown}") from None


def describe(channel: ssl.SSLSocket) -> str:
    """What was agreed on, and who vouches for the certificate."""
    version, certificate = channel.version(), channel.getpeercert(binary_form=True)
    return f"{version}, certificate {_describe(certificate)}"


def _handshake(
    target: Target, address: Address, deadline: Deadline, context: ssl.SSLContext
) -> ssl.SSLSocket:
    plain = open_tcp(address, target.port, deadline)
    try:
        plain.settimeout(deadline.wait())
        if target.service == "postgres":
            _ask_postgres_for_tls(plain)
        return context.wrap_socket(plain, server_hostname=target.host)
    except TimeoutError:
        plain.close()
        raise Problem("tls-silent", f"{address}:{target.port} opens, but says nothing") from None
    except ssl.SSLCertVerificationError:
        plain.close()
        raise
    except (OSError, Problem) as error:
        plain.close()
        raise _why_no_tls(error) from None


def _ask_postgres_for_tls(plain: socket.socket) -> None:
    plain.sendall(_SSL_REQUEST)
    answer = plain.recv(1)
    if not answer:
        raise ConnectionResetError("closed without an answer to SSLRequest")
    if answer != b"S":
        raise Problem("tls-plain", "the server has no TLS, or is not PostgreSQL")


def _why_no_tls(error: OSError | Problem) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, ssl.SSLError) and error.reason in _PLAIN:
        return Problem("tls-plain", "what answers speaks no TLS")
    reason = getattr(error, "reason", None) or error.strerror or str(error)
    return Problem("tls-cut", f"no TLS: {reason}")


def _shown_certificate(target: Target, address: Address, deadline: Deadline) -> str:
    """Whose certificate it is that did not hold; nothing is sent over this connection."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with closing(_handshake(target, address, deadline, context)) as channel:
            return _describe(channel.getpeercert(binary_form=True))
    except (Problem, OSError):
        return "could not be read"


def _describe(certificate: bytes | None) -> str:
    if not certificate:
        return "is missing"
    content = x509.load_der_x509_certificate(certificate)
    until = f"{content.not_valid_after_utc:%Y-%m-%d}"
    return f"of {_name(content.subject)} by {_name(content.issuer)}, valid until {until}"


def _name(name: x509.Name) -> str:
    """Organisation and common name, as far as they are there."""
    parts = [
        str(attribute.value)
        for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        for attribute in name.get_attributes_for_oid(kind)
    ]
    return ", ".join(parts) or "nobody"
