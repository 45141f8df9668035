"""The documents say what is so: names of settings, files and packages are compared."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def first_cells(document: str) -> set[str]:
    """The first column of a document's tables, without code marks."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return {cell.strip("` ") for cell in re.findall(r"^\|([^|]+)\|", text, flags=re.MULTILINE)}


def test_every_setting_of_the_environment_is_in_the_readme() -> None:
    source = (ROOT / "portal/settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r"env\.\w+\(\s*\"([A-Z_]+)\"", source))

    documented = {cell for cell in first_cells("README.md") if re.fullmatch(r"[A-Z_]+", cell)}

    assert documented == read


def test_every_dependency_has_its_reason() -> None:
    requirements = "".join((ROOT / name).read_text() for name in _REQUIREMENTS)
    package = json.loads((ROOT / "package.json").read_text())
    wanted = set(re.findall(r"^([a-z0-9-]+)(?:\[[^]]+\])?==", requirements, flags=re.MULTILINE))
    wanted |= package["dependencies"].keys() | package["devDependencies"].keys()

    explained = first_cells("docs/decisions/0007-dependencies.md") - {"package", "---"}

    assert explained == wanted


_REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


def test_every_command_of_ours_is_in_the_operators_table() -> None:
    files = ROOT.glob("*/management/commands/*.py")
    commands = {path.stem for path in files if path.stem != "__init__"}

    documented = {
        cell.split("`")[0].split()[0] for cell in first_cells("docs/operations.md") if cell
    }

    assert commands <= documented


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    named = re.findall(r"`((?:portal|tenants|chat|tests|docs)/[\w./-]*)`", text)
    linked = re.findall(r"\]\((?!http)([^)#]+)", text)

    missing = [path for path in named if not (ROOT / path).exists()]
    missing += [path for path in linked if not (document.parent / path).exists()]

    assert not missing
