"""Who a server process is to be: PostgreSQL refuses to run as root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from portal.embedded.errors import EmbeddedError

SERVICE_USERS = ("postgres", "nobody")
# Tried in this order: the least that lets the other user reach files below a closed folder.
CAPABILITIES = ("", "dac_read_search", "dac_override")


@dataclass(frozen=True)
class Identity:
    """A user without rights of its own, with at most one capability to pass closed folders."""

    uid: int
    gid: int
    name: str
    capability: str = ""

    def launch_options(self) -> list[str]:
        """Options for launch.py that turn a child into this user."""
        options = ["--user", f"{self.uid}:{self.gid}"]
        return [*options, "--capability", self.capability] if self.capability else options


def needs_other_user() -> bool:
    """Whether this process is root, as whom PostgreSQL does not run."""
    return os.geteuid() == 0


def service_user(data: Path) -> Identity:
    """The user who owns the data already, or else a system user that every machine has."""
    if data.exists() and data.stat().st_uid != 0:
        return _identity(pwd.getpwuid(data.stat().st_uid))
    for name in SERVICE_USERS:
        try:
            return _identity(pwd.getpwnam(name))
        except KeyError:
            continue
    raise EmbeddedError(
        f"PostgreSQL does not run as root, and none of the users {', '.join(SERVICE_USERS)} exists."
        " Start as an ordinary user, or give DATABASE_URL."
    )


def _identity(entry: pwd.struct_passwd) -> Identity:
    return Identity(entry.pw_uid, entry.pw_gid, entry.pw_name)
