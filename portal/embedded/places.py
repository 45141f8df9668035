"""Where a PostgreSQL cluster lives, and as whom it runs there.

An ordinary user runs everything in place. Root has to hand the server to another user, who must be
able to reach the programs and the data below folders that may be closed to him. The least that
works is taken: nothing, else one capability for passing closed folders, else (where the machine
grants no such capability) programs and data under a system folder. Permissions of folders above
the clone are never changed.
"""

import hashlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from portal.embedded.errors import EmbeddedError
from portal.embedded.identity import CAPABILITIES, Identity, needs_other_user, service_user
from portal.embedded.processes import Program

SYSTEM_FOLDER = Path("/var/lib")


@dataclass(frozen=True)
class Place:
    """Programs, data, and the user who runs the one on the other (None: the person).

    ``draft`` is where a new cluster is made before it gets the name ``data``.
    """

    binaries: Path
    home: Path
    identity: Identity | None

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def draft(self) -> Path:
        return self.home / "data.draft"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the person's environment (PGPORT, PGDATA, ...) reaches the server."""
        return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": "/"}


def find_place(folder: Path, binaries: Path, say: Callable[[str], None]) -> Place:
    """The place for the cluster of this folder, made ready for its user.

    Data stays where it was made: a machine that grants other rights than before is told so, and
    never gets a second, empty cluster.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not needs_other_user():
        return _own_place(folder, binaries)
    home = _system_home(folder)
    is_elsewhere = (home / "data").exists()
    user = service_user((home if is_elsewhere else folder) / "data")
    if not is_elsewhere:
        if place := _place_here(folder, binaries, user):
            return place
        _refuse_system_folder(folder, user)
    say(f"PostgreSQL keeps its programs and data in {home}: {user.name} cannot enter {folder}.")
    return _system_place(home, binaries, user)


def _place_here(folder: Path, binaries: Path, user: Identity) -> Place | None:
    """In the clone itself, with the least capability that lets the user reach it."""
    _hand_over(user, folder)
    for capability in CAPABILITIES:
        place = Place(binaries, folder, replace(user, capability=capability))
        if _is_usable(place):
            return place
    if (folder / "data.draft").exists():
        (folder / "data.draft").rmdir()
    return None


def _refuse_system_folder(folder: Path, user: Identity) -> None:
    """Raise where data is in the clone already, or root may not become the user at all."""
    if (folder / "data").exists():
        raise EmbeddedError(
            f"{user.name}, who owns {folder / 'data'}, cannot reach it: root lacks the rights that"
            " it had (CAP_DAC_READ_SEARCH, CAP_SETPCAP). Start as before, or give DATABASE_URL."
        )
    program = Program("sh", ["/bin/sh", "-c", ":"], log=Path(os.devnull), identity=user)
    if program.run()[0] != 0:
        raise EmbeddedError(_no_right_to_hand_over(user))


def _own_place(folder: Path, binaries: Path) -> Place:
    data = folder / "data"
    if not data.exists():
        _clear(folder / "data.draft")
    elif data.stat().st_uid != os.geteuid():
        raise EmbeddedError(
            f"{data} belongs to another user (it was made as root); start as root again, or let"
            f" root delete {folder} to begin with an empty database."
        )
    return Place(binaries, folder, None)


def _hand_over(user: Identity, home: Path) -> None:
    """Give data or draft to its user; let others pass through (not list) the folder around it."""
    home.chmod(0o711)
    target = home / "data"
    if not target.exists():
        target = home / "data.draft"
        _clear(target)
    if target.stat().st_uid == 0:
        try:
            os.chown(target, user.uid, user.gid)
        except PermissionError as error:
            raise EmbeddedError(_no_right_to_hand_over(user)) from error


def _clear(draft: Path) -> None:
    """An empty folder for a new cluster, in place of what an interrupted start left."""
    try:
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700)
    except OSError as error:
        raise EmbeddedError(f"{draft} cannot be made anew: {error.strerror}; delete it") from error


def _is_usable(place: Place) -> bool:
    """Whether this user reaches the data and can run the programs with their shared files."""
    target = place.data if place.data.exists() else place.draft
    program = Program(
        "initdb",
        [str(place.binaries / "initdb"), "--show", "-D", str(target)],
        log=Path(os.devnull),
        environment=place.environment,
        identity=place.identity,
        directory=target,
    )
    return program.run()[0] == 0


def _system_home(folder: Path) -> Path:
    digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return SYSTEM_FOLDER / f"atrium-{digest}"


def _system_place(home: Path, binaries: Path, user: Identity) -> Place:
    """Programs and data under a system folder, for machines where root cannot do better."""
    home.mkdir(parents=True, exist_ok=True)
    package = binaries.parent.parent
    place = Place(home / package.name / "pginstall" / "bin", home, user)
    _copy_programs(package, home)
    _hand_over(user, home)
    if not _is_usable(place):
        raise EmbeddedError(_no_right_to_hand_over(user))
    return place


def _copy_programs(package: Path, home: Path) -> None:
    """Copy the wheel's programs and libraries, readable by everyone, unless they are there."""
    stamp = home / "programs"
    version = f"{package} {(package / 'pginstall' / 'bin' / 'postgres').stat().st_mtime_ns}"
    if stamp.exists() and stamp.read_text() == version:
        return
    for source in (package, package.with_name(f"{package.name}.libs")):
        if source.exists():
            shutil.copytree(source, home / source.name, dirs_exist_ok=True)
            for path in (home / source.name).rglob("*"):
                path.chmod(0o755)
    stamp.write_text(version)


def _no_right_to_hand_over(user: Identity) -> str:
    return (
        "PostgreSQL does not run as root, and root may not hand it over to the user"
        f" {user.name} on this machine. Start as an ordinary user, or give DATABASE_URL."
    )
