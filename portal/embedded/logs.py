"""Log files that do not grow without end: cut in place, with one older copy beside each."""

import os
import shutil
from pathlib import Path

LIMIT = 10 * 1024 * 1024


def trim(folder: Path, limit: int = LIMIT) -> None:
    """Copy every log above the limit to ``<name>.1`` and empty it.

    Writers append, so they go on at the new beginning; a line written between the copy and the cut
    may be lost.
    """
    for path in folder.glob("*.log"):
        if path.stat().st_size > limit:
            older = path.with_name(f"{path.name}.1")
            shutil.copyfile(path, older)
            older.chmod(0o600)
            os.truncate(path, 0)
