"""Parameters from files and the command line."""

import json
from pathlib import Path

import pytest

from portal.infra import bundle
from portal.infra.parameters import MASK, Parameters, ParametersError, collect


def file(folder: Path, **values: object) -> Path:
    """A parameter file."""
    path = folder / f"{len(list(folder.iterdir()))}.parameters.json"
    entries = {name: {"value": value} for name, value in values.items()}
    path.write_text(json.dumps({"parameters": entries}))
    return path


@pytest.fixture
def template(main: Path) -> bundle.Json:
    return bundle.build(main)


def test_the_later_file_wins_and_the_command_line_over_both(
    template: bundle.Json, tmp_path: Path
) -> None:
    files = [file(tmp_path, tier="prod", days=7), file(tmp_path, days=8, image="a:1")]

    found = collect(template, files, ["image=a:2"])

    assert [found.value(name) for name in ("tier", "days", "image")] == ["prod", 8, "a:2"]


@pytest.mark.parametrize(
    ("assignment", "value"),
    [("days=14", 14), ("jumpbox=true", True), ("image=123", "123"), ("models=[]", []),
     ("existingSubnetIds={\"web\": \"x\"}", {"web": "x"}), ("image=a=b", "a=b")],
)  # fmt: skip
def test_a_text_of_the_command_line_is_read_by_the_declared_type(
    template: bundle.Json, assignment: str, value: object
) -> None:
    found = collect(template, [], [assignment])

    assert found.value(assignment.partition("=")[0]) == value


def test_a_secret_is_read_from_a_file_and_never_shown(
    template: bundle.Json, tmp_path: Path
) -> None:
    (tmp_path / "relay").write_text("smtp+tls://me:hidden@relay:587\n")

    found = collect(template, [], [f"emailUrl=@{tmp_path / 'relay'}"])

    assert found.value("emailUrl") == "smtp+tls://me:hidden@relay:587"
    assert list(found.lines()) == [f"emailUrl = {MASK}"]
    assert found.secrets == {"smtp+tls://me:hidden@relay:587"}


def test_a_secret_in_a_vault_is_passed_on_as_a_reference(
    template: bundle.Json, tmp_path: Path
) -> None:
    reference = {"keyVault": {"id": "/subscriptions/1"}, "secretName": "relay"}
    path = tmp_path / "with.json"
    path.write_text(json.dumps({"parameters": {"emailUrl": {"reference": reference}}}))

    found = collect(template, [path], ["image=a:1"])

    assert found.entries["emailUrl"] == {"reference": reference}
    assert "emailUrl = (secret relay of a vault)" in found.lines()


@pytest.mark.parametrize(
    ("assignment", "text"),
    [
        ("imag=x", "no parameter imag; did you mean image"),
        ("image", "write it as name=value"),
        ("tier=large", 'tier is "large"; it may be dev, prod'),
        ("days=6", "days is 6; it must be at least 7"),
        ("days=91", "days is 91; it must be at most 90"),
        ("days=true", "days must be of the type int, not true"),
        ("days=x", "int must be written as JSON"),
        ("image=a", "it must be at least 3 long"),
        ("emailUrl=@/nowhere", "emailUrl: /nowhere: No such file"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(
    template: bundle.Json, assignment: str, text: str
) -> None:
    with pytest.raises(ParametersError, match=text):
        collect(template, [], [assignment])


def test_all_missing_values_are_named_with_their_meaning(template: bundle.Json) -> None:
    with pytest.raises(ParametersError, match="image is missing: Image, like atrium:1"):
        Parameters(template).check()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "is no JSON"),
        ("[]", "is no parameter file"),
        ('{"parameters": {"days": 3}}', "days has"),
    ],
)
def test_a_file_that_holds_no_parameters_is_refused(
    template: bundle.Json, tmp_path: Path, content: str, text: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content)

    with pytest.raises(ParametersError, match=text):
        collect(template, [path], [])


def test_a_default_that_azure_works_out_is_not_taken_for_a_value(template: bundle.Json) -> None:
    assert Parameters(template).value("location") is None
