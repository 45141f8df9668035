"""The self-contained template."""

import json
from pathlib import Path

import pytest

from portal.infra import bundle
from portal.infra.bundle import BundleError
from tests.arm.evaluate import FOLDER, evaluate
from tests.arm.parameters import read_file
from tests.portal.infra import small


def test_every_link_becomes_an_inner_template(main: Path) -> None:
    built = bundle.build(main)

    deployments = [one["properties"] for one in bundle.resources(built)]
    assert all("templateLink" not in one for one in deployments)
    assert {one["expressionEvaluationOptions"]["scope"] for one in deployments} == {"inner"}
    assert bundle.modules(built) == 3


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.parameters.json")), ids=lambda one: one.stem)
def test_ours_deploys_the_same_alone_as_with_its_modules_beside_it(file: Path) -> None:
    whole = json.loads((FOLDER / "main.json").read_text())
    parameters = read_file(file)

    alone = evaluate(bundle.build(FOLDER / "main.json"), parameters, folder=Path("/nowhere"))
    linked = evaluate(whole, parameters)

    kinds = ("id", "body", "depends_on")
    own = [one for one in alone.resources if one.type != "Microsoft.Resources/deployments"]
    theirs = [one for one in linked.resources if one.type != "Microsoft.Resources/deployments"]
    assert [[getattr(one, kind) for kind in kinds] for one in own] == [
        [getattr(one, kind) for kind in kinds] for one in theirs
    ]
    assert alone.outputs == linked.outputs


def test_ours_is_far_below_the_limit_of_azure() -> None:
    assert bundle.size(bundle.build(FOLDER / "main.json")) < bundle.MAX_BYTES / 8


def test_a_missing_module_is_named(main: Path) -> None:
    (main.parent / "modules" / "openai.json").unlink()

    with pytest.raises(BundleError, match=r"openai\.json: No such file"):
        bundle.build(main)


def test_a_module_that_is_no_json_is_named(main: Path) -> None:
    (main.parent / "modules" / "openai.json").write_text("{")

    with pytest.raises(BundleError, match=r"openai\.json is no JSON"):
        bundle.build(main)


def test_a_circle_of_links_is_shown(tmp_path: Path) -> None:
    for name, other in {"a.json": "b.json", "b.json": "a.json"}.items():
        (tmp_path / name).write_text(json.dumps(small.template([small.link("x", other)])))

    with pytest.raises(BundleError, match=r"a\.json → b\.json → a\.json"):
        bundle.build(tmp_path / "a.json")


def test_a_link_to_an_address_is_refused(tmp_path: Path) -> None:
    outside = small.link("x", "y")
    outside["properties"]["templateLink"] = {"uri": "https://example.org/y.json"}
    (tmp_path / "main.json").write_text(json.dumps(small.template([outside])))

    with pytest.raises(BundleError, match="links to no file beside it"):
        bundle.build(tmp_path / "main.json")


def test_more_than_azure_takes_is_refused(tmp_path: Path) -> None:
    large = {**small.VAULT, "tags": {"text": "x" * bundle.MAX_BYTES}}
    (tmp_path / "main.json").write_text(json.dumps(small.template([large])))

    with pytest.raises(BundleError, match="Azure takes 4,194,304"):
        bundle.build(tmp_path / "main.json")


def test_too_many_parameters_are_refused(tmp_path: Path) -> None:
    many = {f"p{number}": {"type": "string"} for number in range(257)}
    (tmp_path / "main.json").write_text(json.dumps(small.template([], many)))

    with pytest.raises(BundleError, match="more than 256 parameters"):
        bundle.build(tmp_path / "main.json")


def test_resources_by_symbolic_name_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "vault.json").write_text(json.dumps(small.template([small.VAULT])))
    by_name = {**small.template([]), "resources": {"inner": small.link("x", "vault.json")}}
    (tmp_path / "main.json").write_text(json.dumps(by_name))

    built = bundle.build(tmp_path / "main.json")

    assert bundle.modules(built) == 1
