"""What ``manage.py up`` is going to run, decided before Django's settings are loaded.

Ports and passwords of the embedded parts are known before anything starts, so this step can write
them to ``var/local.env`` (mode 0600), where settings read them: those of the supervisor and its
children, and those of any ``manage.py`` command in another shell.
"""

import secrets
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from environ import Env

from portal.embedded import ports
from portal.embedded.console import Console
from portal.embedded.errors import EmbeddedError
from portal.embedded.lock import Lock
from portal.embedded.model import Model
from portal.embedded.options import ANY_HOST, Options, read_options
from portal.embedded.outside import check_outside
from portal.embedded.postgres import Postgres
from portal.embedded.private_files import write_private
from portal.embedded.server import Server
from portal.embedded.valkey import Valkey

MODEL_NAMES = ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT")
REPLACING = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", *MODEL_NAMES)
HEADER = "# Written by `manage.py up` at every start; put your own values into .env instead.\n"


@dataclass
class Plan:
    """The parts to start (None: the person gave another), and where the web process listens."""

    base: Path
    options: Options
    port: int
    public_url: str
    lock: Lock
    console: Console
    postgres: Postgres | None
    valkey: Valkey | None
    model: Model | None

    @property
    def logs(self) -> Path:
        """Folder of the log files."""
        return self.base / "var" / "log"

    @property
    def servers(self) -> list[Server]:
        """The embedded servers, in the order of stopping: who needs no other last."""
        return [server for server in (self.model, self.valkey, self.postgres) if server]

    @property
    def local_url(self) -> str:
        """Where this machine reaches the web process."""
        return _url(self.options.host, self.port)


class CurrentPlan:
    """The plan of this process, between the early step and the command that carries it out."""

    plan: Plan | None = None


def prepare(base: Path, arguments: list[str], environ: MutableMapping[str, str]) -> None:
    """Decide, write ``var/local.env``, and put its values into this environment.

    Raises EmbeddedError where another ``up`` runs in this clone, an address that the person gave
    is wrong, or a port that the person asked for is taken.
    """
    if {"-h", "--help", "--version"} & set(arguments):
        _settings_for_help(environ)
        return
    _read_own_values(base / ".env", environ)
    options = read_options(arguments, environ)
    check_outside(environ)
    lock = Lock(base / "var" / "up.lock")
    lock.take()
    plan = _plan(base, options, lock, environ)
    lock.note(plan.public_url)
    if plan.model is not None and environ.get("OPENAI_API_KEY"):
        plan.console.say("OPENAI_API_KEY is not used: there is no OPENAI_BASE_URL with it.")
    values = _local_values(plan, environ)
    text = "".join(f"{name}={value}\n" for name, value in values.items())
    write_private(base / "var" / "local.env", HEADER + text)
    environ.update(values)
    CurrentPlan.plan = plan


def _plan(base: Path, options: Options, lock: Lock, environ: Mapping[str, str]) -> Plan:
    console = Console()
    var, log = base / "var", base / "var" / "log"
    port = _web_port(options, console)
    is_model_given = any(environ.get(name) for name in MODEL_NAMES)
    return Plan(
        base=base,
        options=options,
        port=port,
        public_url=environ.get("PUBLIC_URL") or _url(options.host, port),
        lock=lock,
        console=console,
        postgres=None
        if environ.get("DATABASE_URL")
        else Postgres(var / "postgres", log / "postgres.log", say=console.say),
        valkey=None if environ.get("REDIS_URL") else Valkey(var / "valkey", log / "valkey.log"),
        model=None if is_model_given else Model(var / "model", log / "model.log"),
    )


def _local_values(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The settings that this start decides; what the person set is left out."""
    values: dict[str, str] = {}
    if not environ.get("SECRET_KEY"):
        kept = _kept_values(plan.base / "var" / "local.env")
        values["SECRET_KEY"] = kept.get("SECRET_KEY") or secrets.token_urlsafe(50)
    if plan.postgres is not None:
        values["DATABASE_URL"] = plan.postgres.url
        values["DATABASE_OWNER_URL"] = plan.postgres.owner_url
    if plan.valkey is not None:
        values["REDIS_URL"] = plan.valkey.url
    if plan.model is not None:
        values |= {"OPENAI_BASE_URL": plan.model.url, "OPENAI_API_KEY": plan.model.key}
    return values | _address_values(plan, environ)


def _address_values(plan: Plan, environ: Mapping[str, str]) -> dict[str, str]:
    """The portal's own address, unless the person names it."""
    if environ.get("PUBLIC_URL"):
        return {}
    values = {"PUBLIC_URL": plan.public_url}
    if not environ.get("ALLOWED_HOSTS"):
        is_open = plan.options.host in ANY_HOST
        values["ALLOWED_HOSTS"] = "*" if is_open else f"localhost,127.0.0.1,{plan.options.host}"
    return values


def _web_port(options: Options, console: Console) -> int:
    """The port asked for, or else a free one; says so when it is not the usual one."""
    problem = ports.problem(options.port, options.host)
    if not problem:
        return options.port
    if options.port_source or problem != ports.TAKEN:
        raise EmbeddedError(f"{_describe(options)} {problem}{_held_by(options.port)}.")
    port = ports.free_port(options.port, options.host)
    console.say(f"Port {options.port} is taken{_held_by(options.port)}; using {port}.")
    return port


def _describe(options: Options) -> str:
    source = f" ({options.port_source})" if options.port_source else ""
    return f"Port {options.port}{source} on {options.host}"


def _held_by(port: int) -> str:
    holder = ports.holder(port)
    return f" by {holder}" if holder else ""


def _url(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in ANY_HOST else host
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def _read_own_values(path: Path, environ: MutableMapping[str, str]) -> None:
    """Add the values of the person's .env; an empty value of a replaceable part counts as none."""
    if path.is_file():
        for name, value in _kept_values(path).items():
            environ.setdefault(name, value)
    for name in REPLACING:
        if not environ.get(name):
            environ.pop(name, None)


def _kept_values(path: Path) -> dict[str, str]:
    """The values in a file of ``NAME=value`` lines, read as settings read it."""
    reader: Any = type("Reader", (Env,), {"ENVIRON": {}})
    if path.is_file():
        reader.read_env(path)
    return dict(reader.ENVIRON)


def _settings_for_help(environ: MutableMapping[str, str]) -> None:
    """Let settings load for ``up --help`` in a clone that has not been started yet."""
    environ.setdefault("SECRET_KEY", "only-to-print-help")
    environ.setdefault("DATABASE_URL", "postgres://127.0.0.1/none")
    environ.setdefault("DATABASE_OWNER_URL", "")  # not that of var/local.env, of another address
    environ.setdefault("REDIS_URL", "redis://127.0.0.1/0")
