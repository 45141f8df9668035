"""The arguments of ``manage.py up``, read once before settings exist and once by the command."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

PREFERRED_PORT = 8000
ANY_HOST = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared with, never bound to by default


@dataclass(frozen=True)
class Options:
    """Where the web process listens, and whether a demo is made.

    ``port_source`` says who asked for exactly this port: ``--port``, ``PORT``, or nobody ("").
    """

    host: str
    port: int
    port_source: str
    demo: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of the command."""
    parser.add_argument(
        "--port",
        type=port_number,
        help=f"port of the web server (default: PORT, else {PREFERRED_PORT} or the next free one)",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address the web server listens on (default: 127.0.0.1, this machine only)",
    )
    parser.add_argument("--no-demo", action="store_true", help="make no demo tenants and accounts")


def read_options(arguments: list[str], environ: Mapping[str, str]) -> Options:
    """Read the flags; wrong ones end the program with one line. Unknown ones are Django's."""
    parser = argparse.ArgumentParser(prog="manage.py up", add_help=False, allow_abbrev=False)
    add_arguments(parser)
    flags, _others = parser.parse_known_args(arguments)
    source = "--port" if flags.port else "PORT" if environ.get("PORT") else ""
    port = flags.port or PREFERRED_PORT
    if source == "PORT":
        try:
            port = port_number(environ["PORT"])
        except argparse.ArgumentTypeError as error:
            parser.error(f"PORT: {error}")
    return Options(flags.host, port, source, not flags.no_demo)


def port_number(text: str) -> int:
    """A TCP port from 1 to 65535."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port number (1 to 65535)")
    return int(text)
