"""Files that only their owner may read: generated passwords and keys."""

import json
import os
import secrets
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step; mode 0600 from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as output:
        output.write(text)
    draft.replace(path)


def read_record(path: Path) -> dict[str, str]:
    """The names and values kept in this file; empty when there is none."""
    if not path.exists():
        return {}
    record = json.loads(path.read_text(encoding="utf-8"))
    return {str(name): str(value) for name, value in record.items()}


def write_record(path: Path, record: dict[str, str]) -> None:
    """Keep these names and values, readable by their owner only."""
    write_private(path, json.dumps(record, indent=2) + "\n")


def new_password() -> str:
    """A fresh secret that needs no quoting in a URL."""
    return secrets.token_urlsafe(24)
